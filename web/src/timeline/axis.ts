// The ticks of the time axis: round steps, at least so many pixels apart.

import { relative, wall, type WallClock } from "./time";
import { toX, type View } from "./viewport";

export type Tick = { ns: number; x: number; label: string; major: boolean };

// In seconds above one: minutes and hours are not decimal.
const LONG = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 21600, 43200, 86400];

/** The least round step that is at least `ns`. */
export function roundStep(ns: number): number {
  if (ns > 1e9) {
    for (const seconds of LONG) if (seconds * 1e9 >= ns) return seconds * 1e9;
    return Math.ceil(ns / 86400e9) * 86400e9;
  }
  const power = 10 ** Math.floor(Math.log10(Math.max(ns, 1)));
  for (const times of [1, 2, 5, 10]) if (times * power >= ns) return times * power;
  return 10 * power;
}

/** Ticks of [view.start, view.end] over `width` px, labelled ones about `apart` px from each other. */
export function ticks(view: View, width: number, apart: number, clock: WallClock | null): Tick[] {
  const step = Math.max(1, roundStep(((view.end - view.start) / Math.max(width, 1)) * apart));
  const minor = step / (step >= 5 && step % 5 === 0 ? 5 : step % 2 === 0 ? 2 : 1);
  const list: Tick[] = [];
  // The wall clock's round times are not the trace's: its ticks are moved by what the start is past one.
  const shift = clock ? Number((clock.startNs + BigInt(clock.zoneMinutes) * 60000000000n) % BigInt(Math.round(step))) : 0;
  const first = Math.ceil((view.start + shift) / minor);
  const last = Math.floor((view.end + shift) / minor);
  for (let at = first; at <= last && list.length < 2000; at++) {
    const ns = at * minor - shift;
    const major = Math.abs(at * minor - Math.round((at * minor) / step) * step) < minor / 2;
    const label = !major ? "" : clock ? wall(ns, step, clock) : relative(ns, step);
    list.push({ ns, x: toX(view, width, ns), label, major });
  }
  return list;
}
