// Makes of the server's reply what can be drawn: columns, and the rows' strips painted.  In the worker and in the page.

import { BANDS, paintStrip, wideEntries } from "./strip";
import { STEPS } from "./tile";
import type { Painting, TileRow, TilesMade } from "./tile_message";
import { decodeTiles } from "./tile_reply";

const WIDE = 5; // steps: the narrowest entry that may get a pattern or a label

/** Gives each row of slices its line, and paints it there. */
function paint(rows: TileRow[], { looks, theme, ground }: Painting): Uint32Array<ArrayBuffer> {
  let lines = 0;
  for (const row of rows) if (row.columns.kind === 0) lines += BANDS;
  const sheet = new Uint32Array(lines * STEPS).fill(ground);
  lines = 0;
  for (const row of rows) {
    if (row.columns.kind !== 0) continue;
    row.line = lines;
    row.even = paintStrip(sheet, lines * STEPS, row.columns, looks.get(row.row) ?? "slices", theme, ground);
    lines += BANDS;
  }
  return sheet;
}

/** `revision`: of the index, when it was asked. */
export function makeTiles(buffer: ArrayBuffer, painting: Painting, revision: number): TilesMade {
  const { level, index, partial, rows: decoded } = decodeTiles(buffer);
  const rows: TileRow[] = decoded.map(({ row, columns }) => ({
    row,
    columns,
    wide: columns.kind === 0 ? wideEntries(columns, WIDE) : new Uint16Array(0),
    line: 0,
    even: true,
  }));
  const sheet = paint(rows, painting);
  return { say: "tiles", level, index, partial, revision, theme: painting.theme, rows, bytes: buffer.byteLength + sheet.byteLength, sheet };
}
