// Draws a counter's row: the last value as an area, the least and the greatest of a step as a band.

import type { Inks } from "./inks";
import type { LanesPicture } from "./draw_lanes";
import type { PlacedRow } from "./lanes";
import { stepOf, tileStart } from "./tile";
import type { Piece } from "./tile_cache";
import { quantity } from "./time";
import { toX } from "./viewport";

type Point = { x: number; width: number; min: number; max: number; last: number };

export function drawValues(pen: CanvasRenderingContext2D, picture: LanesPicture, inks: Inks, row: PlacedRow, pieces: Piece[]): void {
  const points = pointsOf(picture, pieces);
  const top = row.y - picture.top;
  const bottom = top + row.h;
  if (!points.length) {
    pen.fillStyle = inks.faint;
    pen.fillRect(0, bottom - 2, picture.width, 2);
    return;
  }
  const most = points.reduce((max, point) => Math.max(max, point.max), 0);
  const least = points.reduce((min, point) => Math.min(min, point.min), 0);
  const scale = (row.h - 2) / (most - least || 1);
  const yOf = (value: number) => bottom - (value - least) * scale;
  fillSteps(pen, picture.width, points, inks.accentFill, yOf, yOf(Math.max(0, least)));
  fillBands(pen, points, inks.accentFill, yOf);
  strokeSteps(pen, picture.width, points, inks.accent, yOf);
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

function fillSteps(pen: CanvasRenderingContext2D, width: number, points: Point[], fill: string, yOf: (value: number) => number, ground: number): void {
  pen.fillStyle = fill;
  pen.beginPath();
  points.forEach((point, at) => {
    const end = points[at + 1]?.x ?? width;
    const y = yOf(point.last);
    if (end > 0 && point.x < width && y !== ground) pen.rect(point.x, y, end - point.x, ground - y);
  });
  pen.fill();
}

/** From the least to the greatest of a step, no wider than the step: what holds until the next is the last. */
function fillBands(pen: CanvasRenderingContext2D, points: Point[], fill: string, yOf: (value: number) => number): void {
  pen.fillStyle = fill;
  pen.beginPath();
  for (const point of points) if (point.max > point.min) pen.rect(point.x, yOf(point.max), point.width, yOf(point.min) - yOf(point.max));
  pen.fill();
}

function strokeSteps(pen: CanvasRenderingContext2D, width: number, points: Point[], ink: string, yOf: (value: number) => number): void {
  pen.strokeStyle = ink;
  pen.lineWidth = 1.25;
  pen.beginPath();
  points.forEach((point, at) => {
    const y = yOf(point.last);
    if (at) pen.lineTo(point.x, y);
    else pen.moveTo(point.x, y);
    pen.lineTo(points[at + 1]?.x ?? width, y);
  });
  pen.stroke();
}
