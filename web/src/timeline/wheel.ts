// Zooming by the wheel, at the pointer.

import { stopGliding } from "../frame/actions";
import { setView, span, view } from "../frame/store";
import { toNs, zoom, type View } from "./viewport";

const PER_PIXEL = 0.0022; // a notch of 100 zooms by a fifth
const PINCH = 3; // a trackpad's pinch comes in steps of a few pixels
const LINE = 30;
const PAGE = 600;

/** How many pixels a wheel event counts by. */
export function unitOf(event: WheelEvent): number {
  return event.deltaMode === 1 ? LINE : event.deltaMode === 2 ? PAGE : 1;
}

/** Zooms what is in view at the time under the pointer, `shown` being what the element shows over its `width`. */
export function zoomByWheel(event: WheelEvent, shown: View, width: number): void {
  event.preventDefault();
  stopGliding();
  const by = event.deltaY * unitOf(event);
  const factor = Math.exp(Math.max(-300, Math.min(300, by)) * PER_PIXEL * (Math.abs(by) < 20 ? PINCH : 1));
  setView(zoom(view.value, toNs(shown, width, event.offsetX), factor, span.value));
}
