// What a view becomes when the trace has become longer.  Pure.

import { clampView, type View } from "./viewport";

/** Whether the view shows the end of the trace: what comes then is shown as well. */
export function touchesEnd(view: View, span: number): boolean {
  return view.end >= span - Math.max(1, (view.end - view.start) * 1e-3);
}

/** All of the trace stays all of it, the end stays the end; who looks elsewhere, or does not follow, goes on to. */
export function grown(view: View, before: number, after: number, follows: boolean): View {
  if (!follows || after <= before || !touchesEnd(view, before)) return view;
  if (view.start <= 0) return { start: 0, end: Math.max(1, after) };
  return clampView({ start: after - (view.end - view.start), end: after }, after);
}

/** The end of the trace, as much of it as was in view. */
export function atEnd(view: View, span: number): View {
  return clampView({ start: span - (view.end - view.start), end: span }, span);
}
