// What lies under the pointer, found in the tiles' columns.

import type { LaneLayout, PlacedRow } from "./lanes";
import { STEPS, stepOf, tilesOf, tileStart } from "./tile";
import type { TileCache } from "./tile_cache";
import { entryAt } from "./tile_reply";
import { toNs, type View } from "./viewport";

export type SliceHit = {
  kind: "slice";
  row: PlacedRow;
  slice: number;
  name: number;
  cls: number;
  count: number; // > 1: the longest of so many
  start: number; // as exact as the tile's step
  end: number;
  step: number;
};
export type ValueHit = { kind: "value"; row: PlacedRow; min: number; max: number; last: number; start: number };
export type Hit = SliceHit | ValueHit;

export type Sights = { layout: LaneLayout; cache: TileCache; view: View; level: number; span: number; width: number };

const REACH_PX = 3;

/** The slice or the value at (x, y), y counted from the first lane's top. */
export function hitAt(sights: Sights, x: number, y: number): Hit | null {
  const row = sights.layout.rowAt(y);
  return row ? hitInRow(sights, row, x) : null;
}

export function hitInRow(sights: Sights, row: PlacedRow, x: number): Hit | null {
  const ns = toNs(sights.view, sights.width, x);
  const grid = tilesOf({ start: ns, end: ns }, sights.level, sights.span);
  for (const piece of sights.cache.stand(sights.level, grid.first, row.row.id)) {
    if (ns < piece.from || ns >= piece.to) continue;
    const { columns, level, index } = piece.tile;
    const step = stepOf(level);
    const start = tileStart(level, index);
    const at = Math.min(STEPS - 1, Math.floor((ns - start) / step));
    if (columns.kind === 1) {
      let last = -1;
      for (let i = 0; i < columns.n && columns.start[i] <= at; i++) last = i;
      if (last < 0) return null;
      const value = { min: columns.min[last], max: columns.max[last], last: columns.last[last] };
      return { kind: "value", row, ...value, start: start + columns.start[last] * step };
    }
    const perPixel = (sights.view.end - sights.view.start) / Math.max(1, sights.width);
    const entry = entryAt(columns, at, Math.ceil((REACH_PX * perPixel) / step));
    if (entry < 0) return null;
    return {
      kind: "slice",
      row,
      slice: columns.slice[entry],
      name: columns.name[entry],
      cls: columns.cls[entry],
      count: columns.count[entry],
      start: start + columns.start[entry] * step,
      end: start + (columns.start[entry] + columns.len[entry]) * step,
      step,
    };
  }
  return null;
}

/** The slice of a row nearest to `ns`, as far away as it may be within the tile; null when there is none. */
export function nearestInRow(sights: Sights, row: PlacedRow, ns: number): { row: number; slice: number } | null {
  const grid = tilesOf({ start: ns, end: ns }, sights.level, sights.span);
  for (const { tile } of sights.cache.stand(sights.level, grid.first, row.row.id)) {
    if (tile.columns.kind !== 0) return null;
    const at = Math.floor((ns - tileStart(tile.level, tile.index)) / stepOf(tile.level));
    const entry = entryAt(tile.columns, Math.min(STEPS - 1, Math.max(0, at)), STEPS);
    if (entry >= 0) return { row: row.row.id, slice: tile.columns.slice[entry] };
  }
  return null;
}

/** The edge of a slice of the row nearest to x within `reach` px, in ns; null when there is none. */
export function edgeNear(sights: Sights, row: PlacedRow, x: number, reach: number): number | null {
  let best: number | null = null;
  let nearest = reach;
  const perPixel = (sights.view.end - sights.view.start) / Math.max(1, sights.width);
  for (const dx of [0, -reach, reach]) {
    const hit = hitInRow(sights, row, x + dx);
    if (hit?.kind !== "slice") continue;
    for (const edge of [hit.start, hit.end]) {
      const away = Math.abs((edge - sights.view.start) / perPixel - x);
      if (away <= nearest) {
        nearest = away;
        best = edge;
      }
    }
  }
  return best;
}
