// A canvas context that writes down what it is told: the draw log.

export type Call = { what: string; ink: string; args: number[]; text?: string; image?: unknown; words?: Uint32Array };

export function recordingPen(): { pen: CanvasRenderingContext2D; log: Call[] } {
  const log: Call[] = [];
  const state: Record<string, unknown> = { fillStyle: "", strokeStyle: "", globalAlpha: 1 };
  const methods: Record<string, (...args: unknown[]) => unknown> = {
    measureText: (text) => ({ width: String(text).length * 6 }),
    createImageData: (width, height) => ({ width, height, data: new Uint8ClampedArray(Number(width) * Number(height) * 4) }),
    putImageData: (image, ...args) => log.push({ what: "pixels", ink: "", args: args as number[], words: new Uint32Array((image as ImageData).data.slice().buffer) }),
    createPattern: () => "pattern",
    drawImage: (image, ...args) => log.push({ what: "image", ink: "", args: args as number[], image }),
    fillText: (text, ...args) => log.push({ what: "text", ink: String(state.fillStyle), args: args as number[], text: String(text) }),
    fillRect: (...args) => log.push({ what: "rect", ink: String(state.fillStyle), args: args as number[] }),
    strokeRect: (...args) => log.push({ what: "frame", ink: String(state.strokeStyle), args: args as number[] }),
    bezierCurveTo: (...args) => log.push({ what: "curve", ink: String(state.strokeStyle), args: args as number[] }),
    rect: (...args) => log.push({ what: "area", ink: String(state.fillStyle), args: args as number[] }),
  };
  const pen = new Proxy(state, {
    get: (target, name: string) => (name in target ? target[name] : (methods[name] ?? (() => undefined))),
    set: (target, name: string, value) => {
      target[name] = value;
      return true;
    },
  });
  return { pen: pen as unknown as CanvasRenderingContext2D, log };
}
