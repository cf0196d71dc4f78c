// Draws the lanes: strips first, then patterns and labels of what is wide enough.  The main canvas, nothing else.

import { colourOf, inkOn, isGuess, lookColour, lookOf, patternOf, rgbCss } from "./colours";
import { patternFill, type Inks } from "./inks";
import type { Item, PlacedRow } from "./lanes";
import { BANDS } from "./strip";
import { stepOf, tilesOf, tileStart, type Grid } from "./tile";
import type { Piece, TileCache } from "./tile_cache";
import { drawValues } from "./draw_values";
import { toX, type View } from "./viewport";

export type LanesPicture = {
  view: View;
  level: number;
  span: number;
  width: number; // CSS px
  height: number;
  ratio: number; // device px a CSS px
  top: number; // what is scrolled away
  items: Item[];
  covered: number; // ns that are indexed
  nameOf: (id: number) => string;
  pauses: readonly number[]; // rows whose slices shade all lanes
};

type Wide = { slice: number; name: number; cls: number; x0: number; x1: number };

const PATTERN_PX = 6;
const LABEL_PX = 30;
const PAD = 4;

const widths = new Map<string, number>(); // of texts

function widthOf(pen: CanvasRenderingContext2D, text: string): number {
  let width = widths.get(text);
  if (width === undefined) {
    if (widths.size > 5000) widths.clear();
    width = pen.measureText(text).width;
    widths.set(text, width);
  }
  return width;
}

export function drawLanes(pen: CanvasRenderingContext2D, cache: TileCache, picture: LanesPicture, inks: Inks): void {
  const { width, height, ratio } = picture;
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.imageSmoothingEnabled = false;
  pen.fillStyle = inks.back;
  pen.fillRect(0, 0, width, height);
  pen.font = inks.font;
  pen.textBaseline = "middle";
  const grid = tilesOf(picture.view, picture.level, picture.span);
  for (const item of picture.items) drawItem(pen, cache, picture, inks, grid, item);
  drawPauses(pen, cache, picture, inks, grid);
  drawUncovered(pen, picture, inks);
}

function drawItem(pen: CanvasRenderingContext2D, cache: TileCache, picture: LanesPicture, inks: Inks, grid: Grid, item: Item): void {
  const y = item.y - picture.top;
  if (item.kind === "heading") {
    pen.fillStyle = inks.heading;
    pen.fillRect(0, y, picture.width, item.h);
    return;
  }
  pen.fillStyle = inks.line;
  pen.fillRect(0, y + item.h - 1, picture.width, 1);
  for (const row of item.rows) drawRow(pen, cache, picture, inks, grid, row);
  for (const row of item.rows) if (row.row.kind === "marks" && row.row.name === "lost") drawLost(pen, cache, picture, inks, grid, row, item);
}

const LOST = 20;

/** Where events were lost all of the lane is hatched: what it shows there is not all that happened. */
function drawLost(pen: CanvasRenderingContext2D, cache: TileCache, picture: LanesPicture, inks: Inks, grid: Grid, row: PlacedRow, item: Item): void {
  const colour = rgbCss(colourOf(LOST, 0, inks.theme));
  const fill = patternFill(pen, "cross");
  const y = item.y - picture.top;
  for (const piece of piecesOf(cache, grid, row.row.id)) {
    for (const [from, to] of spansOf(piece)) {
      const x0 = Math.max(0, toX(picture.view, picture.width, from));
      const x1 = Math.min(picture.width, Math.max(x0 + 2, toX(picture.view, picture.width, to)));
      if (x1 <= 0 || x0 >= picture.width) continue;
      pen.globalAlpha = 0.3;
      pen.fillStyle = colour;
      pen.fillRect(x0, y, x1 - x0, item.h - 1);
      pen.globalAlpha = 1;
      if (!fill) continue;
      pen.fillStyle = fill;
      pen.fillRect(x0, y, x1 - x0, item.h - 1);
    }
  }
}

/** The entries of a piece in ns, cut to it. */
function* spansOf({ tile, from, to }: Piece): Generator<[number, number]> {
  const { columns, level, index } = tile;
  if (columns.kind !== 0) return;
  const start = tileStart(level, index);
  for (let at = 0; at < columns.n; at++) {
    const begin = start + columns.start[at] * stepOf(level);
    const end = begin + columns.len[at] * stepOf(level);
    if (end > from && begin < to) yield [Math.max(begin, from), Math.min(end, to)];
  }
}

function piecesOf(cache: TileCache, grid: Grid, row: number): Piece[] {
  const pieces: Piece[] = [];
  for (let index = grid.first; index <= grid.last; index++) pieces.push(...cache.stand(grid.level, index, row));
  return pieces;
}

function drawRow(pen: CanvasRenderingContext2D, cache: TileCache, picture: LanesPicture, inks: Inks, grid: Grid, row: PlacedRow): void {
  const y = row.y - picture.top;
  if (y + row.h < 0 || y > picture.height) return;
  const pieces = piecesOf(cache, grid, row.row.id);
  if (row.row.kind === "value" && !row.thin) {
    drawValues(pen, picture, inks, row, pieces);
    return;
  }
  const wide: Wide[] = [];
  for (const piece of pieces) {
    drawStrip(pen, picture, piece, y, row.h);
    if (!row.thin) collectWide(picture, piece, wide);
  }
  if (!pieces.length) {
    pen.fillStyle = inks.faint;
    pen.fillRect(0, y + row.h / 2 - 1, picture.width, 2);
  }
  for (const entry of wide) drawWide(pen, picture, inks, entry, y, row);
}

/** Blits the part of a tile's strip that a piece is; edges lie on device pixels, or seams would show. */
function drawStrip(pen: CanvasRenderingContext2D, picture: LanesPicture, piece: Piece, y: number, h: number): void {
  const { bitmap } = piece.tile.sheet;
  if (!bitmap || !piece.tile.columns.n) return;
  const { view, width, ratio } = picture;
  const step = stepOf(piece.tile.level);
  const start = tileStart(piece.tile.level, piece.tile.index);
  const x0 = Math.round(toX(view, width, piece.from) * ratio) / ratio;
  const x1 = Math.round(toX(view, width, piece.to) * ratio) / ratio;
  if (x1 <= x0) return;
  pen.drawImage(bitmap, (piece.from - start) / step, piece.tile.line, (piece.to - piece.from) / step, BANDS, x0, y, x1 - x0, h);
}

/** Adds a piece's wide entries; one that goes on in the next tile stays one. */
function collectWide(picture: LanesPicture, piece: Piece, list: Wide[]): void {
  const { columns, wide, level, index } = piece.tile;
  if (columns.kind !== 0) return;
  const step = stepOf(level);
  const start = tileStart(level, index);
  for (const at of wide) {
    const from = Math.max(piece.from, start + columns.start[at] * step);
    const to = Math.min(piece.to, start + (columns.start[at] + columns.len[at]) * step);
    if (to <= from) continue;
    const x0 = toX(picture.view, picture.width, from);
    const x1 = toX(picture.view, picture.width, to);
    const last = list[list.length - 1];
    if (last && last.slice === columns.slice[at] && x0 - last.x1 < 1) last.x1 = x1;
    else if (x1 > 0 && x0 < picture.width) list.push({ slice: columns.slice[at], name: columns.name[at], cls: columns.cls[at], x0, x1 });
  }
}

function drawWide(pen: CanvasRenderingContext2D, picture: LanesPicture, inks: Inks, entry: Wide, y: number, row: PlacedRow): void {
  const x0 = Math.max(0, entry.x0);
  const x1 = Math.min(picture.width, entry.x1) - 1;
  if (x1 - x0 < PATTERN_PX) return;
  const pattern = patternOf(entry.cls);
  const fill = pattern ? patternFill(pen, pattern) : null;
  const guess = isGuess(entry.cls);
  if (fill) {
    pen.fillStyle = fill;
    if (guess) pen.fillRect(x0, y + row.h / 3, x1 - x0, (row.h * 2) / 3);
    else pen.fillRect(x0, y, x1 - x0, row.h);
  }
  if (x1 - x0 < LABEL_PX || row.h < 11) return;
  const name = picture.nameOf(entry.name);
  const whole = guess && name ? `${name} ?` : name;
  const text = cropText(pen, whole, x1 - x0 - 2 * PAD);
  if (!text) return;
  const flat = row.row.kind === "state" && flatClass(entry.cls);
  const colour = lookColour(lookOf(row.lane.kind, row.row.kind), entry.cls, entry.name, inks.theme);
  if (fill) {
    pen.fillStyle = guess ? inks.back : rgbCss(colour); // letters stand on plain colour
    pen.fillRect(x0, y + 1, Math.min(x1 - x0, widthOf(pen, text) + 2 * PAD), row.h - 2);
  }
  pen.fillStyle = flat || guess ? inks.dim : rgbCss(inkOn(colour));
  const at = y + (flat ? row.h * 0.34 : row.h / 2 + 0.5);
  if (text === whole) pen.fillText(text, x0 + PAD, at);
  else pen.fillText(text, x0 + PAD, at, x1 - x0 - PAD); // cropped by its mean letter: it could be too wide
}

/** Sleeping and the like fill only the lowest third: their label stands above it, on the page's own colour. */
function flatClass(cls: number): boolean {
  return cls === 0 || cls === 6 || cls === 7;
}

/** `text`, or as much of it as fits `width` with an ellipsis; "" when not even three letters do. */
function cropText(pen: CanvasRenderingContext2D, text: string, width: number): string {
  if (!text || widthOf(pen, text) <= width) return text;
  const fits = Math.floor((width / widthOf(pen, text)) * text.length);
  return fits < 4 ? "" : `${text.slice(0, fits - 1)}…`;
}

function drawPauses(pen: CanvasRenderingContext2D, cache: TileCache, picture: LanesPicture, inks: Inks, grid: Grid): void {
  pen.fillStyle = inks.pause;
  for (const row of picture.pauses) {
    for (const piece of piecesOf(cache, grid, row)) {
      for (const [from, to] of spansOf(piece)) {
        const x0 = toX(picture.view, picture.width, from);
        const x1 = toX(picture.view, picture.width, to);
        if (x1 - x0 >= 3 && x1 > 0 && x0 < picture.width) pen.fillRect(x0, 0, x1 - x0, picture.height);
      }
    }
  }
}

/** What is not indexed yet is veiled, so that nobody takes it for an empty part of the trace. */
function drawUncovered(pen: CanvasRenderingContext2D, picture: LanesPicture, inks: Inks): void {
  if (picture.covered >= picture.span) return;
  const x = Math.max(0, toX(picture.view, picture.width, picture.covered));
  if (x >= picture.width) return;
  const fill = patternFill(pen, "rising");
  pen.globalAlpha = 0.35;
  pen.fillStyle = fill ?? inks.line;
  pen.fillRect(x, 0, picture.width - x, picture.height);
  pen.globalAlpha = 1;
}
