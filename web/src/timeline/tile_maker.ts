// Makes of the server's reply what can be drawn: columns, and the rows' strips painted.  In the worker and in the page.

import { bandsOf, paintStrip, wideEntries } from "./strip";
import type { Look } from "./colours";
import { STEPS } from "./tile";
import { ROW_WORDS, type Painting, type TilesMade } from "./tile_message";
import { columnsAt, decodeTiles, type TileReply } from "./tile_reply";
import type { Tile } from "./tile_cache";

const WIDE = 5; // steps: the narrowest entry that may get a pattern or a label

/** Gives each row of slices its lines of the sheet and paints it there; fills the table. */
function paint({ rows }: TileReply, { looks, theme, ground }: Painting, table: Uint32Array, wide: number[]): Uint32Array<ArrayBuffer> {
  const bands = rows.map(({ row, columns }) => (columns.kind === 0 ? bandsOf(columns, lookOf(looks, row)) : 0));
  const sheet = new Uint32Array(bands.reduce((sum, each) => sum + each, 0) * STEPS).fill(ground);
  let line = 0;
  rows.forEach(({ row, at, columns }, index) => {
    const before = wide.length;
    if (columns.kind === 0) {
      paintStrip(sheet, line * STEPS, columns, lookOf(looks, row), theme, ground, bands[index]);
      wideEntries(columns, WIDE, wide);
    }
    table.set([row, columns.kind, columns.n, at, line, bands[index], wide.length - before], index * ROW_WORDS);
    line += bands[index];
  });
  return sheet;
}

function lookOf(looks: Painting["looks"], row: number): Look {
  return looks.get(row) ?? "slices";
}

/** `revision`: of the index, when it was asked. */
export function makeTiles(reply: ArrayBuffer, painting: Painting, revision: number): TilesMade {
  const decoded = decodeTiles(reply);
  const { level, index, partial, buffer, rows } = decoded;
  const table = new Uint32Array(rows.length * ROW_WORDS);
  const wide: number[] = [];
  const sheet = paint(decoded, painting, table, wide);
  return { say: "tiles", level, index, partial, revision, theme: painting.theme, rows: rows.length, table, buffer, wide: Uint16Array.from(wide), sheet };
}

/** The tiles of what was made. */
export function tilesOfMade({ level, index, partial, revision, rows, table, buffer, wide, sheet }: TilesMade): Tile[] {
  const cost = Math.ceil((buffer.byteLength + sheet.byteLength) / Math.max(1, rows));
  const tiles: Tile[] = [];
  let from = 0;
  for (let at = 0; at < table.length; at += ROW_WORDS) {
    const [row, kind, n, offset, line, bands, count] = table.subarray(at, at + ROW_WORDS);
    tiles.push({
      level, index, row, columns: columnsAt(buffer, kind, offset, n), wide: wide.subarray(from, from + count),
      sheet, line, even: bands === 1, partial, revision, cost,
    });
    from += count;
  }
  return tiles;
}
