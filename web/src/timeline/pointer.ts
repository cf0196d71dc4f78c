// The pointer on the lanes: drag moves, Shift+drag selects a range, Ctrl+wheel and pinch zoom, a tap selects.

import { pushAddress } from "../frame/address";
import { escape, glide, select, showRange, stopGliding } from "../frame/actions";
import * as store from "../frame/store";
import { edgeNear } from "./hit";
import { Pinch } from "./pinch";
import type { Parts, Stage } from "./stage";
import { hovered } from "./stage_now";
import { unitOf, zoomByWheel } from "./wheel";
import { around, pan, spanOf, toNs, zoom } from "./viewport";

const CLICK_PX = 4;
const SNAP_PX = 7;

type Drag = { kind: "move" | "range"; x: number; y: number; lastX: number; lastY: number; from: number; moved: boolean };

/** Shift+drag holds on to the edges of slices, unless Alt is down. */
function snapped(stage: Stage, x: number, y: number, free: boolean): number {
  const row = free ? null : store.layout.value.rowAt(y + stage.top);
  const edge = row ? edgeNear(stage.sights(), row, x, SNAP_PX) : null;
  return edge ?? stage.nsAt(x);
}

function wheel(stage: Stage, event: WheelEvent): void {
  const [dx, dy] = [event.deltaX * unitOf(event), event.deltaY * unitOf(event)];
  const view = store.view.value;
  if (event.ctrlKey || event.metaKey) {
    zoomByWheel(event, view, stage.width);
  } else {
    const across = event.shiftKey && !dx ? dy : dx;
    if (Math.abs(across) <= Math.abs(dy) && !event.shiftKey) return; // up and down is the scroller's
    event.preventDefault();
    stopGliding();
    store.setView(pan(view, (across / stage.width) * spanOf(view), store.span.value));
  }
}

export function attachPointer(stage: Stage, parts: Parts): () => void {
  const { over, scroller } = parts;
  const pinch = new Pinch();
  let drag: Drag | null = null;

  const hover = (event: PointerEvent | null) => {
    const hit = event ? stage.hitAt(event.offsetX, event.offsetY) : null;
    stage.hover = hit;
    stage.cursor = event ? event.offsetX : null;
    const box = over.getBoundingClientRect();
    hovered.value = hit && event ? { hit, x: box.left + event.offsetX, y: box.top + event.offsetY } : null;
    over.classList.toggle("on-slice", hit?.kind === "slice");
    stage.redrawOver();
  };
  const down = (event: PointerEvent) => {
    if (event.button !== 0) return;
    stopGliding();
    over.setPointerCapture(event.pointerId);
    pinch.down(event);
    const { offsetX: x, offsetY: y } = event;
    const kind = event.shiftKey ? "range" : "move";
    drag = pinch.active ? null : { kind, x, y, lastX: x, lastY: y, from: snapped(stage, x, y, event.altKey), moved: false };
  };
  const move = (event: PointerEvent) => {
    const change = pinch.move(event);
    if (change) {
      const view = store.view.value;
      const moved = pan(view, (-change.dx / stage.width) * spanOf(view), store.span.value);
      store.setView(zoom(moved, toNs(moved, stage.width, change.x), change.factor, store.span.value));
      return;
    }
    if (!drag) {
      if (event.pointerType !== "touch") hover(event);
      return;
    }
    const { offsetX: x, offsetY: y } = event;
    if (Math.hypot(x - drag.x, y - drag.y) > CLICK_PX) drag.moved = true;
    if (!drag.moved) return;
    if (drag.kind === "range") {
      const to = snapped(stage, x, y, event.altKey);
      store.range.value = { start: Math.max(0, Math.min(drag.from, to)), end: Math.min(store.span.value, Math.max(drag.from, to)) };
      hover(event);
    } else {
      over.classList.add("dragging");
      const view = store.view.value;
      store.setView(pan(view, (-(x - drag.lastX) / stage.width) * spanOf(view), store.span.value));
      scroller.scrollTop -= y - drag.lastY;
      [drag.lastX, drag.lastY] = [x, y];
    }
  };
  const up = (event: PointerEvent) => {
    pinch.up(event);
    over.classList.remove("dragging");
    const was = drag;
    drag = null;
    if (!was || event.type === "pointercancel") return;
    if (was.kind === "range" && was.moved) {
      const range = store.range.value;
      if (range && range.end > range.start) showRange(range.start, range.end);
    } else if (!was.moved) {
      const hit = stage.hitAt(event.offsetX, event.offsetY);
      if (hit?.kind === "slice") void select({ row: hit.row.row.id, slice: hit.slice });
      else if (store.selection.value || store.range.value) escape();
    }
  };
  const leave = () => hover(null);
  const twice = (event: MouseEvent) => {
    const hit = stage.hitAt(event.offsetX, event.offsetY);
    pushAddress();
    if (hit?.kind === "slice") glide(around(hit.start, hit.end, store.span.value));
    else glide(zoom(store.view.value, stage.nsAt(event.offsetX), 0.35, store.span.value));
  };
  const wheeled = (event: WheelEvent) => {
    wheel(stage, event);
    hovered.value = null;
  };

  over.addEventListener("pointerdown", down);
  over.addEventListener("pointermove", move);
  over.addEventListener("pointerup", up);
  over.addEventListener("pointercancel", up);
  over.addEventListener("pointerleave", leave);
  over.addEventListener("dblclick", twice);
  over.addEventListener("wheel", wheeled, { passive: false });
  return () => {
    over.removeEventListener("pointerdown", down);
    over.removeEventListener("pointermove", move);
    over.removeEventListener("pointerup", up);
    over.removeEventListener("pointercancel", up);
    over.removeEventListener("pointerleave", leave);
    over.removeEventListener("dblclick", twice);
    over.removeEventListener("wheel", wheeled);
  };
}
