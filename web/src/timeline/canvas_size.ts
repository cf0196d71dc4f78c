// Keeps a canvas as large as its element, in device pixels, and says when to draw it again.

export function followSize(canvas: HTMLCanvasElement, draw: (width: number, height: number, ratio: number) => void): { draw: () => void; stop: () => void } {
  let waiting = 0;
  const now = () => {
    waiting = 0;
    const ratio = window.devicePixelRatio || 1;
    const { clientWidth: width, clientHeight: height } = canvas;
    if (!width || !height) return;
    const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
    if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
    draw(width, height, ratio);
  };
  const later = () => {
    waiting ||= requestAnimationFrame(now);
  };
  const sizes = new ResizeObserver(later);
  sizes.observe(canvas);
  return {
    draw: later,
    stop: () => {
      sizes.disconnect();
      cancelAnimationFrame(waiting);
    },
  };
}
