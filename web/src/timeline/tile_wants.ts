// Which tiles a part of the timeline needs.  Pure.

import { lookOf, type Look, type Theme } from "./colours";
import type { PlacedRow } from "./lanes";
import type { Painting } from "./tile_message";
import { levelFor, tilesOf } from "./tile";
import type { Want } from "./tile_queue";
import { spanOf, type View } from "./viewport";

export type Sight = {
  view: View;
  devicePixels: number;
  span: number;
  rows: PlacedRow[];
  always: readonly number[]; // rows wanted wherever one looks: pauses
  theme: Theme;
  ground: number; // what strips are painted on, an RGBA word
  revision: number;
  key: string; // of what is served: browsers keep tiles
};

/** What else is asked for than what is in sight: nothing, what stands in when one zooms out, or that and what is just outside. */
export type Ahead = "nothing" | "farther" | "all";

const FARTHER = 2; // levels

const rowsOf = (sight: Sight): number[] => [...new Set([...sight.rows.map((row) => row.row.id), ...sight.always])];

/**
 * What is in sight, at a quarter of the steps: it is there and painted in a quarter of the time, and what is asked for ahead anyway. The rest
 * is made by the worker, beside the page.
 */
export function firstOf(sight: Sight): Want[] {
  const level = levelFor(sight.view, sight.devicePixels) + FARTHER;
  const { first, last } = tilesOf(sight.view, level, sight.span);
  const rows = rowsOf(sight);
  return Array.from({ length: last - first + 1 }, (_, at) => ({ level, index: first + at, rows, urgency: 0 }));
}

/** What is in sight and is missing, the most urgent first; `ahead` comes after it. */
export function missingOf(sight: Sight, missing: (level: number, index: number, row: number) => boolean, ahead: Ahead): Want[] {
  const level = levelFor(sight.view, sight.devicePixels);
  const rows = rowsOf(sight);
  const wants: Want[] = [];
  const add = (at: number, view: View, urgency: number) => {
    const grid = tilesOf(view, at, sight.span);
    for (let index = grid.first; index <= grid.last; index++) {
      if (wants.some((want) => want.level === at && want.index === index)) continue;
      const needed = rows.filter((row) => missing(at, index, row));
      if (needed.length) wants.push({ level: at, index, rows: needed, urgency });
    }
  };
  add(level, sight.view, 0);
  const length = spanOf(sight.view);
  if (ahead === "all") add(level, { start: sight.view.start - length / 2, end: sight.view.end + length / 2 }, 1);
  if (ahead !== "nothing") add(level + FARTHER, sight.view, 2);
  return wants;
}

export function paintingOf({ rows, theme, ground }: Sight): Painting {
  const looks = new Map<number, Look>();
  for (const { lane, row } of rows) looks.set(row.id, lookOf(lane.kind, row.kind));
  return { looks, theme, ground };
}
