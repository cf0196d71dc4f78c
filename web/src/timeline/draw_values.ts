// Draws a counter's row: the last value as an area, the least and the greatest of a step as a band.

import type { Inks } from "./inks";
import type { LanesPicture } from "./draw_lanes";
import type { PlacedRow } from "./lanes";
import { rowPixels } from "./row_pixels";
import { stepOf, tileStart } from "./tile";
import type { Piece } from "./tile_cache";
import { quantity } from "./time";
import { paintValues, valueInks, type Point, type ValueInks } from "./value_strip";
import { toX } from "./viewport";

let inked: { of: Inks; words: ValueInks } | null = null;

/** Paints the row; answers with the greatest value in sight, or null when there is none. */
export function paintCounter(pen: CanvasRenderingContext2D, picture: LanesPicture, inks: Inks, row: PlacedRow, pieces: Piece[]): number | null {
  const points = pointsOf(picture, pieces);
  if (!points.length) return null;
  const most = points.reduce((max, point) => Math.max(max, point.max), 0);
  const least = points.reduce((min, point) => Math.min(min, point.min), 0);
  const { words, image } = rowPixels(pen, Math.max(1, Math.round(picture.width * picture.ratio)), Math.max(1, Math.round(row.h * picture.ratio)));
  if (inked?.of !== inks) inked = { of: inks, words: valueInks(inks.back, inks.accentFill, inks.accent) };
  paintValues(words, image.width, image.height, picture.ratio, points, least, most, inked.words);
  pen.putImageData(image, 0, Math.round((row.y - picture.top) * picture.ratio));
  return most;
}

/** Says how much the greatest is, or draws a faint line where there is none. */
export function labelValues(pen: CanvasRenderingContext2D, picture: LanesPicture, inks: Inks, row: PlacedRow, most: number | null): void {
  const top = row.y - picture.top;
  if (most === null) {
    pen.fillStyle = inks.faint;
    pen.fillRect(0, top + row.h - 2, picture.width, 2);
    return;
  }
  const text = `${row.row.name && row.row.name !== row.lane.name ? `${row.row.name}  ` : ""}${quantity(most, row.lane.unit)}`;
  pen.fillStyle = inks.back;
  pen.globalAlpha = 0.75;
  pen.fillRect(2, top, pen.measureText(text).width + 6, 14);
  pen.globalAlpha = 1;
  pen.fillStyle = inks.dim;
  pen.fillText(text, 5, top + 7.5);
}

function pointsOf(picture: LanesPicture, pieces: Piece[]): Point[] {
  const points: Point[] = [];
  for (const piece of pieces) {
    const { columns, level, index } = piece.tile;
    if (columns.kind !== 1) continue;
    const start = tileStart(level, index);
    for (let at = 0; at < columns.n; at++) {
      const from = start + columns.start[at] * stepOf(level);
      const to = at + 1 < columns.n ? start + columns.start[at + 1] * stepOf(level) : piece.to;
      if (to <= piece.from || from >= piece.to) continue;
      const x = toX(picture.view, picture.width, Math.max(from, piece.from));
      const [min, max, last] = [columns.min[at], columns.max[at], columns.last[at]];
      const width = Math.max(1, toX(picture.view, picture.width, from + stepOf(level)) - x);
      if (Number.isFinite(min) && Number.isFinite(max) && Number.isFinite(last)) points.push({ x, width, min, max, last });
    }
  }
  return points;
}
