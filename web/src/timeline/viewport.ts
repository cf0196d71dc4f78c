// The part of the time that is in view, and how it moves.  Pure: ns in, ns out.

export type View = { start: number; end: number };

const LEAST = 100; // ns: closer than this nothing more is to be seen

export function spanOf(view: View): number {
  return view.end - view.start;
}

/** Keeps a view inside [0, span], its length where it can be. */
export function clampView(view: View, span: number): View {
  const whole = Math.max(span, LEAST);
  const length = Math.min(whole, Math.max(LEAST, view.end - view.start));
  if (!Number.isFinite(length) || !Number.isFinite(view.start)) return { start: 0, end: whole };
  const start = Math.min(Math.max(0, view.start), whole - length);
  return { start, end: start + length };
}

export function pan(view: View, ns: number, span: number): View {
  return clampView({ start: view.start + ns, end: view.end + ns }, span);
}

/** Zooms by `factor` (< 1 is closer) and keeps what is at `at` where it is. */
export function zoom(view: View, at: number, factor: number, span: number): View {
  const length = Math.min(Math.max(spanOf(view) * factor, LEAST), Math.max(span, LEAST));
  const share = (at - view.start) / spanOf(view);
  return clampView({ start: at - share * length, end: at - share * length + length }, span);
}

/** A view that shows [start, end] with some room at both sides. */
export function around(start: number, end: number, span: number, room = 0.15): View {
  const length = Math.max(end - start, LEAST / 2);
  return clampView({ start: start - length * room, end: end + length * room }, span);
}

/** A view of the same length with `ns` in the middle, unless it is well inside already. */
export function reveal(view: View, start: number, end: number, span: number): View {
  const length = spanOf(view);
  if (end - start > length) return around(start, end, span);
  if (start >= view.start + length * 0.02 && end <= view.end - length * 0.02) return view;
  const middle = (start + end) / 2;
  return clampView({ start: middle - length / 2, end: middle + length / 2 }, span);
}

export function toX(view: View, width: number, ns: number): number {
  return ((ns - view.start) / (view.end - view.start)) * width;
}

export function toNs(view: View, width: number, x: number): number {
  return view.start + (x / Math.max(width, 1)) * (view.end - view.start);
}

/** How the view looks `part` (0..1) of the way: lengths on a logarithmic scale, so that a zoom keeps its pace. */
export function between(from: View, to: View, part: number): View {
  if (part >= 1) return to;
  const a = spanOf(from);
  const b = spanOf(to);
  const length = a * (b / a) ** part;
  const way = Math.abs(a - b) < 1e-6 * a ? part : (a - length) / (a - b);
  const start = from.start + (to.start - from.start) * way;
  return { start, end: start + length };
}
