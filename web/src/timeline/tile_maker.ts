// Makes of the server's reply what can be drawn: columns, and the rows' strips painted into one picture.  In the worker and in the page.

import type { Look, Theme } from "./colours";
import { BANDS, paintStrip, wideEntries } from "./strip";
import { STEPS } from "./tile";
import type { TileRow, TilesMade } from "./tile_message";
import { decodeTiles } from "./tile_reply";

const WIDE = 5; // steps: the narrowest entry that may get a pattern or a label

async function paint(rows: TileRow[], looks: ReadonlyMap<number, Look>, theme: Theme): Promise<ImageBitmap | null> {
  const painted = rows.filter((row) => row.columns.kind === 0);
  if (!painted.length) return null;
  const image = new ImageData(STEPS, painted.length * BANDS);
  const words = new Uint32Array(image.data.buffer);
  painted.forEach((row, at) => {
    row.line = at * BANDS;
    if (row.columns.kind === 0) paintStrip(words, row.line * STEPS, row.columns, looks.get(row.row) ?? "slices", theme);
  });
  return createImageBitmap(image);
}

/** `revision`: of the index, when it was asked. */
export async function makeTiles(buffer: ArrayBuffer, looks: ReadonlyMap<number, Look>, theme: Theme, revision: number): Promise<TilesMade> {
  const { level, index, partial, rows: decoded } = decodeTiles(buffer);
  const rows: TileRow[] = decoded.map(({ row, columns }) => ({
    row,
    columns,
    wide: columns.kind === 0 ? wideEntries(columns, WIDE) : new Uint16Array(0),
    line: 0,
  }));
  const bitmap = await paint(rows, looks, theme);
  const pixels = bitmap ? bitmap.width * bitmap.height * 4 : 0;
  return { say: "tiles", level, index, partial, revision, theme, rows, bytes: buffer.byteLength + pixels, bitmap };
}
