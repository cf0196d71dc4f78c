// The time axis: its ticks, and a ruler by dragging over it.

import { useEffect, useRef } from "preact/hooks";
import { effect } from "@preact/signals";
import { keepSettings, showRange, stopGliding } from "../frame/actions";
import * as store from "../frame/store";
import { theme } from "../frame/theme";
import { ticks } from "./axis";
import { followSize } from "./canvas_size";
import { drawAxis } from "./draw_axis";
import { readInks } from "./inks";
import { wallDay } from "./time";
import { toNs } from "./viewport";
import { zoomByWheel } from "./wheel";

function attach(canvas: HTMLCanvasElement): () => void {
  let from: number | null = null;
  const at = (event: PointerEvent) => Math.min(Math.max(0, toNs(store.view.value, canvas.clientWidth, event.offsetX)), store.span.value);
  const down = (event: PointerEvent) => {
    if (event.button !== 0) return;
    stopGliding();
    canvas.setPointerCapture(event.pointerId);
    from = at(event);
  };
  const move = (event: PointerEvent) => {
    if (from === null) return;
    const to = at(event);
    if (to !== from) store.range.value = { start: Math.min(from, to), end: Math.max(from, to) };
  };
  const up = () => {
    const range = store.range.value;
    if (from !== null && range && range.end > range.start) showRange(range.start, range.end);
    from = null;
  };
  const wheel = (event: WheelEvent) => zoomByWheel(event, store.view.value, canvas.clientWidth);
  canvas.addEventListener("wheel", wheel, { passive: false });
  canvas.addEventListener("pointerdown", down);
  canvas.addEventListener("pointermove", move);
  canvas.addEventListener("pointerup", up);
  return () => {
    canvas.removeEventListener("wheel", wheel);
    canvas.removeEventListener("pointerdown", down);
    canvas.removeEventListener("pointermove", move);
    canvas.removeEventListener("pointerup", up);
  };
}

function turn(): void {
  store.clock.value = store.clock.value === "wall" ? "relative" : "wall";
  keepSettings();
}

export function AxisBar() {
  const ref = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const canvas = ref.current;
    if (!canvas) return undefined;
    const size = followSize(canvas, (width, height, ratio) => {
      const pen = canvas.getContext("2d", { alpha: false });
      const apart = store.axisClock.value ? 120 : 100;
      if (pen) drawAxis(pen, width, height, ratio, ticks(store.view.value, width, apart, store.axisClock.value), readInks(canvas, theme.value));
    });
    const redraw = effect(() => {
      void [store.view.value, store.axisClock.value, theme.value];
      size.draw();
    });
    const detach = attach(canvas);
    return () => {
      redraw();
      detach();
      size.stop();
    };
  }, []);
  const start = store.startClock.value;
  return (
    <div class="axis">
      <div class="corner">
        {start ? (
          <button type="button" class="clock" onClick={turn} title="Times relative to the start, or by the clock (C)">
            {store.clock.value === "wall" ? wallDay(start) : "since start"}
          </button>
        ) : (
          <span class="of">since start</span>
        )}
      </div>
      <canvas ref={ref} role="img" aria-label="Time axis; drag over it to select a range" />
    </div>
  );
}
