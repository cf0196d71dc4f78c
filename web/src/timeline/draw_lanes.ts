// Draws the lanes: strips, their patterns and curves first, as pixels, then labels of what is wide enough.  The main canvas, nothing else.

import { colourOf, inkOn, isGuess, lookColour, lookOf, patternOf, rgbCss } from "./colours";
import { patternFill, patternMask, type Inks } from "./inks";
import type { Item, PlacedRow } from "./lanes";
import { stepOf, tilesOf, tileStart, type Grid } from "./tile";
import type { Piece, TileCache } from "./tile_cache";
import { labelValues, paintCounter } from "./draw_values";
import { rowPixels, type Place, type RowPixels } from "./row_pixels";
import { wordOf } from "./value_strip";
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
  looked: readonly (readonly [number, number])[]; // parts behind that can be seen already
  nameOf: (id: number) => string;
  pauses: readonly number[]; // rows whose slices shade all lanes
};

/** What of a row is there; of a counter, the greatest value in sight (null: none). */
type Shown = { pieces: Piece[]; wide: Wide[]; most: number | null };
type Wide = { slice: number; name: number; cls: number; x0: number; x1: number };

const PATTERN_PX = 6;
const VEIL = 0.35;
const THIN_VEIL = 0.1;
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
  pen.fillStyle = inks.back; // before all else: what the canvas showed need not be kept then
  pen.fillRect(0, 0, width, height);
  pen.font = inks.font;
  pen.textBaseline = "middle";
  const grid = tilesOf(picture.view, picture.level, picture.span);
  const rows = new Map<number, Shown>();
  for (const item of picture.items) for (const row of item.rows) showRow(pen, cache, picture, inks, grid, row, rows);
  for (const item of picture.items) drawItem(pen, picture, inks, rows, item);
  drawPauses(pen, cache, picture, inks, grid);
  drawUncovered(pen, picture, inks);
}

/** Paints a row, if it is in sight, and notes what of it is there.  All are painted before anything is drawn: a canvas that is given pixels draws what it was told to first. */
function showRow(pen: CanvasRenderingContext2D, cache: TileCache, picture: LanesPicture, inks: Inks, grid: Grid, row: PlacedRow, rows: Map<number, Shown>): void {
  const y = row.y - picture.top;
  const isSeen = y + row.h >= 0 && y <= picture.height;
  if (!isSeen && !isLost(row)) return;
  const pieces = piecesOf(cache, grid, row.row.id);
  const curve = row.row.kind === "value" && !row.thin;
  const wide: Wide[] = [];
  if (isSeen && !curve && !row.thin) for (const piece of pieces) collectWide(picture, piece, wide);
  rows.set(row.row.id, { pieces, wide, most: curve ? paintCounter(pen, picture, inks, row, pieces) : null });
  if (isSeen && !curve) paintPieces(pen, picture, inks, pieces, wide, y, row.h);
}

function drawItem(pen: CanvasRenderingContext2D, picture: LanesPicture, inks: Inks, rows: ReadonlyMap<number, Shown>, item: Item): void {
  const y = item.y - picture.top;
  if (item.kind === "heading") {
    pen.fillStyle = inks.heading;
    pen.fillRect(0, y, picture.width, item.h);
    return;
  }
  pen.fillStyle = inks.line;
  pen.fillRect(0, y + item.h - 1, picture.width, 1);
  for (const row of item.rows) {
    const shown = rows.get(row.row.id);
    if (shown) drawRow(pen, picture, inks, row, shown);
  }
  for (const row of item.rows) if (isLost(row)) drawLost(pen, picture, inks, rows.get(row.row.id)?.pieces ?? [], item);
}

const LOST = 20;

function isLost({ row }: PlacedRow): boolean {
  return row.kind === "marks" && row.name === "lost";
}

/** Where events were lost all of the lane is hatched: what it shows there is not all that happened. */
function drawLost(pen: CanvasRenderingContext2D, picture: LanesPicture, inks: Inks, pieces: Piece[], item: Item): void {
  const colour = rgbCss(colourOf(LOST, 0, inks.theme));
  const fill = patternFill(pen, "cross");
  const y = item.y - picture.top;
  for (const piece of pieces) {
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

/** The entries of a piece in ns, cut to it; `whole`: without what is folded, which takes but a part of its step. */
function* spansOf({ tile, from, to }: Piece, whole = false): Generator<[number, number]> {
  const { columns, level, index } = tile;
  if (columns.kind !== 0) return;
  const start = tileStart(level, index);
  for (let at = 0; at < columns.n; at++) {
    if (whole && columns.busy[at] < 255) continue;
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

function drawRow(pen: CanvasRenderingContext2D, picture: LanesPicture, inks: Inks, row: PlacedRow, { pieces, wide, most }: Shown): void {
  const y = row.y - picture.top;
  if (row.row.kind === "value" && !row.thin) {
    labelValues(pen, picture, inks, row, most);
    return;
  }
  if (!pieces.length) {
    pen.fillStyle = inks.faint;
    pen.fillRect(0, y + row.h / 2 - 1, picture.width, 2);
  }
  for (const entry of wide) drawWide(pen, picture, inks, entry, y, row);
}

/** Where in the row's strips a piece is; edges lie on device pixels, or seams would show.  Null: nowhere to be seen. */
function placeOf(picture: LanesPicture, { tile, from, to }: Piece, width: number): Place | null {
  if (tile.columns.kind !== 0 || !tile.columns.n) return null;
  const step = stepOf(tile.level);
  const start = tileStart(tile.level, tile.index);
  const x0 = Math.round(toX(picture.view, picture.width, from) * picture.ratio);
  const x1 = Math.round(toX(picture.view, picture.width, to) * picture.ratio);
  return x1 <= x0 || x1 <= 0 || x0 >= width ? null : { x0, x1, from: (from - start) / step, to: (to - start) / step };
}

/** Paints the strips of a row, and over them the patterns of what is wide: told to the canvas one by one they take it a fifth of a frame. */
function paintPieces(pen: CanvasRenderingContext2D, picture: LanesPicture, inks: Inks, pieces: Piece[], wide: Wide[], y: number, h: number): void {
  const width = Math.max(1, Math.round(picture.width * picture.ratio));
  const places = pieces.map((piece) => placeOf(picture, piece, width));
  const covered = places.reduce((sum, place) => sum + (place ? Math.min(width, place.x1) - Math.max(0, place.x0) : 0), 0);
  if (!covered) return;
  const pixels = rowPixels(pen, width, Math.max(1, Math.round(h * picture.ratio)));
  if (covered < width) pixels.words.fill(wordOf(inks.back));
  places.forEach((place, at) => {
    if (place) pixels.strip(pieces[at].tile, place);
  });
  const top = Math.round(y * picture.ratio);
  for (const entry of wide) hatchWide(pixels, picture, entry, top);
  pen.putImageData(pixels.image, 0, top);
}

/** The part of a wide entry that is in sight, but for the gap behind it. */
function seenOf(picture: LanesPicture, { x0, x1 }: Wide): { x0: number; x1: number } {
  return { x0: Math.max(0, x0), x1: Math.min(picture.width, x1) - 1 };
}

function hatchWide(pixels: RowPixels, picture: LanesPicture, entry: Wide, top: number): void {
  const { x0, x1 } = seenOf(picture, entry);
  const pattern = patternOf(entry.cls);
  const mask = pattern && x1 - x0 >= PATTERN_PX ? patternMask(pattern, picture.ratio) : null;
  if (mask) pixels.hatch(mask, Math.round(x0 * picture.ratio), Math.round(x1 * picture.ratio), isGuess(entry.cls) ? Math.round(pixels.image.height / 3) : 0, top);
}

/** The last of the wide entries, which lie apart, that begins at `step` or before; else the first. */
function firstSeen(starts: Uint16Array, wide: Uint16Array, step: number): number {
  let low = 0;
  let high = wide.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (starts[wide[middle]] <= step) low = middle + 1;
    else high = middle;
  }
  return Math.max(0, low - 1);
}

/** Adds a piece's wide entries; one that goes on in the next tile stays one. */
function collectWide(picture: LanesPicture, piece: Piece, list: Wide[]): void {
  const { columns, wide, level, index } = piece.tile;
  if (columns.kind !== 0) return;
  const step = stepOf(level);
  const start = tileStart(level, index);
  for (let k = firstSeen(columns.start, wide, (picture.view.start - start) / step); k < wide.length; k++) {
    const at = wide[k];
    const from = Math.max(piece.from, start + columns.start[at] * step);
    if (from >= picture.view.end) break;
    const to = Math.min(piece.to, start + (columns.start[at] + columns.len[at]) * step);
    if (to <= from) continue;
    const x0 = toX(picture.view, picture.width, from);
    const x1 = toX(picture.view, picture.width, to);
    const last = list[list.length - 1];
    if (last && last.slice === columns.slice[at] && x0 - last.x1 < 1) last.x1 = x1;
    else if (x1 > 0 && x0 < picture.width) list.push({ slice: columns.slice[at], name: columns.name[at], cls: columns.cls[at], x0, x1 });
  }
}

/** Names what is wide enough for it. */
function drawWide(pen: CanvasRenderingContext2D, picture: LanesPicture, inks: Inks, entry: Wide, y: number, row: PlacedRow): void {
  const { x0, x1 } = seenOf(picture, entry);
  const guess = isGuess(entry.cls);
  if (x1 - x0 < LABEL_PX || row.h < 11) return;
  const name = picture.nameOf(entry.name);
  const whole = guess && name ? `${name} ?` : name;
  const text = cropText(pen, whole, x1 - x0 - 2 * PAD);
  if (!text) return;
  const flat = row.row.kind === "state" && flatClass(entry.cls);
  const colour = lookColour(lookOf(row.lane.kind, row.row.kind), entry.cls, entry.name, inks.theme);
  if (patternOf(entry.cls)) {
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
      for (const [from, to] of spansOf(piece, true)) {
        const x0 = toX(picture.view, picture.width, from);
        const x1 = toX(picture.view, picture.width, to);
        if (x1 - x0 >= 3 && x1 > 0 && x0 < picture.width) pen.fillRect(x0, 0, x1 - x0, picture.height);
      }
    }
  }
}

/** What is not indexed yet is veiled, so that nobody takes it for an empty part of the trace; thinly where all but what began before is there. */
function drawUncovered(pen: CanvasRenderingContext2D, picture: LanesPicture, inks: Inks): void {
  if (picture.covered >= picture.span) return;
  const veil = (from: number, to: number, alpha: number) => {
    const x0 = Math.max(0, toX(picture.view, picture.width, from));
    const x1 = Math.min(picture.width, toX(picture.view, picture.width, to));
    if (x1 <= x0) return;
    pen.globalAlpha = alpha;
    pen.fillRect(x0, 0, x1 - x0, picture.height);
  };
  let from = picture.covered;
  pen.fillStyle = patternFill(pen, "rising") ?? inks.line;
  for (const [start, end] of [...picture.looked].sort((a, b) => a[0] - b[0])) {
    if (end <= from) continue;
    veil(from, start, VEIL);
    veil(Math.max(from, start), end, THIN_VEIL);
    from = end;
  }
  veil(from, Infinity, VEIL);
  pen.globalAlpha = 1;
}
