// The grid of tiles: level L has steps of 2^L ns, tile I covers 1024 of them.

import type { View } from "./viewport";

export const STEPS = 1024;
export const LEVELS = 53; // as many as the server answers
export const ROWS_AT_MOST = 64; // of 256 that the server allows: smaller replies come sooner

export type Grid = { level: number; first: number; last: number };

export function stepOf(level: number): number {
  return 2 ** level;
}

export function tileStart(level: number, index: number): number {
  return index * STEPS * stepOf(level);
}

/**
 * The level whose steps are at least one device pixel and less than two: each step can be seen, none is skipped
 * between two pixels, so nothing flickers while it moves.
 */
export function levelFor(view: View, devicePixels: number): number {
  const step = (view.end - view.start) / Math.max(devicePixels, 1);
  return Math.min(LEVELS - 1, Math.max(0, Math.ceil(Math.log2(Math.max(step, 1e-9)) - 1e-9)));
}

/** The tiles of a level that a view touches, [first, last]; none beyond the trace. */
export function tilesOf(view: View, level: number, span: number): Grid {
  const size = STEPS * stepOf(level);
  const last = Math.max(0, Math.ceil(span / size) - 1);
  return {
    level,
    first: Math.min(last, Math.max(0, Math.floor(view.start / size))),
    last: Math.min(last, Math.max(0, Math.ceil(view.end / size) - 1)),
  };
}

/** "1-4,9": the rows of a request, in order, each once. */
export function rowList(rows: number[]): string {
  const sorted = [...new Set(rows)].sort((a, b) => a - b);
  const parts: string[] = [];
  for (let at = 0; at < sorted.length; ) {
    let end = at;
    while (end + 1 < sorted.length && sorted[end + 1] === sorted[end] + 1) end++;
    parts.push(end > at ? `${sorted[at]}-${sorted[end]}` : `${sorted[at]}`);
    at = end + 1;
  }
  return parts.join(",");
}

export function tileKey(level: number, index: number, row: number): string {
  return `${level}/${index}/${row}`;
}

/** The address of rows of a tile; `key`: of what is served, since browsers keep tiles. */
export function tilePath(of: { level: number; index: number; rows: number[] }, key: string): string {
  return `/api/tiles?l=${of.level}&i=${of.index}&rows=${rowList(of.rows)}&v=${encodeURIComponent(key)}`;
}
