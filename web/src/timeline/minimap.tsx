// The whole trace in a strip, with a window that can be dragged, resized and moved by keys.

import { useEffect, useRef, useState } from "preact/hooks";
import { effect, signal } from "@preact/signals";
import { stopGliding } from "../frame/actions";
import { pushAddress } from "../frame/address";
import * as store from "../frame/store";
import { theme } from "../frame/theme";
import { followSize } from "./canvas_size";
import { drawMinimap, drawMinimapGround, type MinimapPicture } from "./draw_axis";
import { readInks, type Inks } from "./inks";
import { duration } from "./time";
import { pan, spanOf, toNs, toX, zoom } from "./viewport";
import { zoomByWheel } from "./wheel";

const EDGE_PX = 6;
type Grip = "start" | "end" | "move";

function gripAt(x: number, width: number): Grip | null {
  const whole = { start: 0, end: Math.max(1, store.span.value) };
  const [x0, x1] = [toX(whole, width, store.view.value.start), toX(whole, width, store.view.value.end)];
  if (Math.abs(x - x0) <= EDGE_PX && x1 - x0 > EDGE_PX) return "start";
  if (Math.abs(x - x1) <= EDGE_PX) return "end";
  return x > x0 && x < x1 ? "move" : null;
}

function attach(canvas: HTMLCanvasElement): () => void {
  let grip: Grip | null = null;
  let grabbed = 0; // where in the window it was taken hold of, ns
  const nsAt = (event: PointerEvent) => toNs({ start: 0, end: Math.max(1, store.span.value) }, canvas.clientWidth, event.offsetX);
  const down = (event: PointerEvent) => {
    if (event.button !== 0) return;
    stopGliding();
    pushAddress();
    canvas.setPointerCapture(event.pointerId);
    const at = nsAt(event);
    grip = gripAt(event.offsetX, canvas.clientWidth);
    const view = store.view.value;
    if (!grip) {
      const half = spanOf(view) / 2;
      store.setView({ start: at - half, end: at + half });
      grip = "move";
    }
    grabbed = at - store.view.value.start;
  };
  const move = (event: PointerEvent) => {
    if (!grip) {
      const over = gripAt(event.offsetX, canvas.clientWidth);
      canvas.style.cursor = over === "move" ? "grab" : over ? "ew-resize" : "crosshair";
      return;
    }
    const at = nsAt(event);
    const view = store.view.value;
    if (grip === "move") store.setView({ start: at - grabbed, end: at - grabbed + spanOf(view) });
    else if (grip === "start") store.setView({ start: Math.min(Math.max(0, at), view.end - 100), end: view.end });
    else store.setView({ start: view.start, end: Math.max(Math.min(store.span.value, at), view.start + 100) });
  };
  const up = () => {
    grip = null;
  };
  canvas.addEventListener("pointerdown", down);
  canvas.addEventListener("pointermove", move);
  canvas.addEventListener("pointerup", up);
  canvas.addEventListener("pointercancel", up);
  const wheel = (event: WheelEvent) => zoomByWheel(event, { start: 0, end: Math.max(1, store.span.value) }, canvas.clientWidth);
  canvas.addEventListener("wheel", wheel, { passive: false });
  return () => {
    canvas.removeEventListener("wheel", wheel);
    canvas.removeEventListener("pointerdown", down);
    canvas.removeEventListener("pointermove", move);
    canvas.removeEventListener("pointerup", up);
    canvas.removeEventListener("pointercancel", up);
  };
}

function key(event: KeyboardEvent): void {
  const view = store.view.value;
  const span = store.span.value;
  const by = spanOf(view) * (event.shiftKey ? 1 : 0.1);
  const to: Record<string, () => void> = {
    ArrowLeft: () => store.setView(pan(view, -by, span)),
    ArrowRight: () => store.setView(pan(view, by, span)),
    ArrowUp: () => store.setView(zoom(view, (view.start + view.end) / 2, 0.8, span)),
    ArrowDown: () => store.setView(zoom(view, (view.start + view.end) / 2, 1.25, span)),
    Home: () => store.setView({ start: 0, end: spanOf(view) }),
    End: () => store.setView({ start: span - spanOf(view), end: span }),
  };
  if (event.altKey || event.ctrlKey || !to[event.key]) return;
  event.preventDefault();
  event.stopPropagation();
  stopGliding();
  to[event.key]();
}

let ground: { canvas: HTMLCanvasElement; of: unknown[] } | null = null;

/** A thousand bars a frame are more than all else that a frame draws: they are drawn when they change. */
function groundOf(picture: MinimapPicture, inks: Inks): HTMLCanvasElement | null {
  const { width, height, ratio, minimap, hits, notes, span } = picture;
  const of = [width, height, ratio, minimap, hits, notes, span, inks];
  if (ground?.of.every((each, at) => each === of[at])) return ground.canvas;
  const canvas = ground?.canvas ?? document.createElement("canvas");
  [canvas.width, canvas.height] = [Math.round(width * ratio), Math.round(height * ratio)];
  const pen = canvas.getContext("2d", { alpha: false });
  if (!pen) return null;
  drawMinimapGround(pen, picture, inks);
  ground = { canvas, of };
  return canvas;
}

const NO_HITS: number[] = [];
const SAID_MS = 250;
const said = signal(store.view.peek()); // the view as words have it: their layout in each frame of a movement would take long
let saying = 0;

function sayNow(): void {
  window.clearTimeout(saying);
  saying = 0;
  said.value = store.view.peek();
}

effect(() => {
  if (store.view.value !== said.peek()) saying ||= window.setTimeout(sayNow, SAID_MS);
});

export function Minimap() {
  const ref = useRef<HTMLCanvasElement>(null);
  useState(sayNow); // what is said first is not old
  useEffect(() => {
    const canvas = ref.current;
    if (!canvas) return undefined;
    const size = followSize(canvas, (width, height, ratio) => {
      const pen = canvas.getContext("2d", { alpha: false });
      if (!pen) return;
      const progress = store.progress.value;
      const picture = {
        width,
        height,
        ratio,
        view: store.view.value,
        span: Math.max(1, store.span.value),
        minimap: store.overview.value?.minimap ?? null,
        hits: store.found.value?.bins ?? NO_HITS,
        notes: store.notes.value,
        range: store.range.value,
        covered: progress?.covered_ns ?? store.span.value,
      };
      const inks = readInks(canvas, theme.value);
      const ground = groundOf(picture, inks);
      if (ground) drawMinimap(pen, picture, ground, inks);
    });
    const redraw = effect(() => {
      void [store.view.value, store.overview.value, store.found.value, store.notes.value, store.range.value, theme.value, store.span.value];
      size.draw();
    });
    const detach = attach(canvas);
    return () => {
      redraw();
      detach();
      size.stop();
    };
  }, []);
  const view = said.value;
  const span = Math.max(1, store.span.value);
  return (
    <div class="minimap">
      <div class="corner">
        <span class="span">{duration(spanOf(view))}</span> <span class="of">of {duration(store.span.value)}</span>
      </div>
      <canvas
        ref={ref}
        tabIndex={0}
        role="slider"
        aria-label="The part of the trace in view"
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round((100 * view.start) / span)}
        aria-valuetext={`${duration(spanOf(view))} from ${duration(view.start)}`}
        onKeyDown={key}
      />
    </div>
  );
}
