// Decodes the binary reply of /api/tiles.  Trusts no byte of it: what does not fit is an error, never a wrong picture.

import { STEPS } from "./tile";

export type SliceColumns = {
  kind: 0;
  n: number;
  name: Uint32Array;
  slice: Uint32Array;
  count: Uint32Array;
  start: Uint16Array;
  len: Uint16Array;
  cls: Uint8Array;
  busy: Uint8Array;
};
export type ValueColumns = {
  kind: 1;
  n: number;
  min: Float64Array;
  max: Float64Array;
  last: Float64Array;
  start: Uint16Array;
};
export type Columns = SliceColumns | ValueColumns;
export type TileReply = {
  partial: boolean;
  level: number;
  index: number;
  start: number;
  rows: { row: number; columns: Columns }[];
};

const MAGIC = 0x4c545443; // "CTTL"
const VERSION = 2;
const HEADER = 32;
const ENTRY = 24;
const SLICE_BYTES = 18;
const VALUE_BYTES = 26;

export class TileError extends Error {}

/** Views into `buffer`, which must live as long as they do. */
export function decodeTiles(buffer: ArrayBuffer): TileReply {
  const view = new DataView(buffer);
  if (buffer.byteLength < HEADER || view.getUint32(0, true) !== MAGIC) throw new TileError("A tile of the server is none.");
  const version = view.getUint16(4, true);
  if (version !== VERSION) throw new TileError(`A tile has version ${version}, this page knows ${VERSION}: reload the page.`);
  const rows = view.getUint32(12, true);
  const body = HEADER + rows * ENTRY;
  if (body > buffer.byteLength) throw new TileError("A tile ends within its directory.");
  const reply: TileReply = {
    partial: (view.getUint16(6, true) & 1) !== 0,
    level: view.getUint32(8, true),
    index: Number(view.getBigUint64(16, true)),
    start: Number(view.getBigUint64(24, true)),
    rows: [],
  };
  for (let at = 0; at < rows; at++) reply.rows.push(decodeRow(buffer, view, HEADER + at * ENTRY));
  return reply;
}

function decodeRow(buffer: ArrayBuffer, view: DataView, entry: number): TileReply["rows"][0] {
  const row = view.getUint32(entry, true);
  const kind = view.getUint32(entry + 4, true);
  const n = view.getUint32(entry + 8, true);
  const offset = view.getUint32(entry + 12, true);
  const length = view.getUint32(entry + 16, true);
  const needs = n * (kind === 0 ? SLICE_BYTES : VALUE_BYTES);
  if (kind > 1 || offset % 8 || needs > length || offset + length > buffer.byteLength || n > 2 * STEPS)
    throw new TileError(`Row ${row} of a tile does not fit its reply.`);
  const columns = kind === 0 ? sliceColumns(buffer, offset, n) : valueColumns(buffer, offset, n);
  let before = 0;
  for (let i = 0; i < n; i++) {
    const start = columns.start[i];
    if (start >= STEPS || start < before) throw new TileError(`Row ${row} of a tile is not in order.`);
    before = start;
  }
  return { row, columns };
}

/** Told as the way from the one before. */
function summed(steps: Uint32Array): Uint32Array {
  for (let i = 1; i < steps.length; i++) steps[i] += steps[i - 1];
  return steps;
}

function sliceColumns(buffer: ArrayBuffer, at: number, n: number): SliceColumns {
  return {
    kind: 0,
    n,
    name: new Uint32Array(buffer, at, n),
    slice: summed(new Uint32Array(buffer, at + 4 * n, n)),
    count: new Uint32Array(buffer, at + 8 * n, n),
    start: new Uint16Array(buffer, at + 12 * n, n),
    len: new Uint16Array(buffer, at + 14 * n, n),
    cls: new Uint8Array(buffer, at + 16 * n, n),
    busy: new Uint8Array(buffer, at + 17 * n, n),
  };
}

function valueColumns(buffer: ArrayBuffer, at: number, n: number): ValueColumns {
  return {
    kind: 1,
    n,
    min: new Float64Array(buffer, at, n),
    max: new Float64Array(buffer, at + 8 * n, n),
    last: new Float64Array(buffer, at + 16 * n, n),
    start: new Uint16Array(buffer, at + 24 * n, n),
  };
}

/** The entry that covers `step`, or the nearest within `reach` steps; -1 when there is none. */
export function entryAt(columns: SliceColumns, step: number, reach: number): number {
  let low = 0;
  let high = columns.n;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (columns.start[middle] <= step) low = middle + 1;
    else high = middle;
  }
  const before = low - 1;
  if (before >= 0 && step < columns.start[before] + columns.len[before]) return before;
  const gapBefore = before >= 0 ? step - (columns.start[before] + columns.len[before]) : Infinity;
  const gapAfter = low < columns.n ? columns.start[low] - step : Infinity;
  if (Math.min(gapBefore, gapAfter) > reach) return -1;
  return gapBefore <= gapAfter ? before : low;
}
