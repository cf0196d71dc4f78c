// The stage that is on the page now, and what its pointer is over.

import { signal } from "@preact/signals-core";
import { gliding, meta, page, view } from "../frame/store";
import type { Hit } from "./hit";
import type { Stage } from "./stage";

export const stageNow = signal<Stage | null>(null);
export const hovered = signal<{ hit: Hit; x: number; y: number } | null>(null);

/** Whether everything asked for has come and is drawn: for tests that look at the page from outside. */
declare global {
  interface Window {
    ctraceIdle?: () => boolean;
    ctraceFrames?: () => number[];
    ctraceView?: () => [number, number];
    ctraceGlides?: () => boolean;
    ctraceEarly?: Promise<Response>; // the first answer, see public/early.js
    ctraceFirst?: number; // when something of the trace was drawn first, ms since the page was asked for
  }
}
window.ctraceIdle = () => stageNow.value?.isIdle ?? (meta.value !== null && page.value !== "timeline");
window.ctraceGlides = () => gliding.value;
window.ctraceView = () => [view.value.start, view.value.end];
window.ctraceFrames = () => stageNow.value?.frames ?? [];
