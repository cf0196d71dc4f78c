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
  buffer: ArrayBuffer; // what the columns are views of
  rows: { row: number; at: number; columns: Columns }[]; // at: of the buffer
};

const MAGIC = 0x4c545443; // "CTTL"
const VERSION = 3;
const HEADER = 32;
const ENTRY = 24;
const ROWS = 256; // as many as the server answers
const SLICE_BYTES = 18; // an entry, decoded
const VALUE_BYTES = 26;
const FULL = [4, 4, 4, 2, 2, 1, 1]; // bytes of a number of each column of slices, decoded

export class TileError extends Error {}

/** Where rows lie in a reply. */
type Entry = { row: number; kind: number; n: number; offset: number; bytes: number; widths: number };

export function decodeTiles(reply: ArrayBuffer): TileReply {
  const view = new DataView(reply);
  if (reply.byteLength < HEADER || view.getUint32(0, true) !== MAGIC) throw new TileError("A tile of the server is none.");
  const version = view.getUint16(4, true);
  if (version !== VERSION) throw new TileError(`A tile has version ${version}, this page knows ${VERSION}: reload the page.`);
  const count = view.getUint32(12, true);
  if (count > ROWS || HEADER + count * ENTRY > reply.byteLength) throw new TileError("A tile ends within its directory.");
  const entries: Entry[] = [];
  for (let at = 0; at < count; at++) entries.push(entryOf(view, HEADER + at * ENTRY));
  const buffer = new ArrayBuffer(entries.reduce((sum, entry) => sum + roomOf(entry), 0));
  const decoded: TileReply = {
    partial: (view.getUint16(6, true) & 1) !== 0,
    level: view.getUint32(8, true),
    index: Number(view.getBigUint64(16, true)),
    start: Number(view.getBigUint64(24, true)),
    buffer,
    rows: [],
  };
  let at = 0;
  for (const entry of entries) {
    decoded.rows.push({ row: entry.row, at, columns: decodeRow(view, entry, columnsAt(buffer, entry.kind, at, entry.n)) });
    at += roomOf(entry);
  }
  return decoded;
}

/** Bytes of a row's columns, decoded: a multiple of 8, as doubles want it. */
function roomOf({ kind, n }: Entry): number {
  return Math.ceil((n * (kind === 0 ? SLICE_BYTES : VALUE_BYTES)) / 8) * 8;
}

function entryOf(view: DataView, at: number): Entry {
  const word = (index: number) => view.getUint32(at + 4 * index, true);
  const entry = { row: word(0), kind: word(1), n: word(2), offset: word(3), bytes: word(4), widths: word(5) };
  if (entry.kind > 1 || entry.offset % 8 || entry.offset + entry.bytes > view.byteLength || entry.n > 2 * STEPS)
    throw new TileError(`Row ${entry.row} of a tile does not fit its reply.`);
  return entry;
}

/** Views of columns that lie, decoded, at `at`. */
export function columnsAt(buffer: ArrayBuffer, kind: number, at: number, n: number): Columns {
  if (kind !== 0)
    return {
      kind: 1,
      n,
      min: new Float64Array(buffer, at, n),
      max: new Float64Array(buffer, at + 8 * n, n),
      last: new Float64Array(buffer, at + 16 * n, n),
      start: new Uint16Array(buffer, at + 24 * n, n),
    };
  return {
    kind: 0,
    n,
    name: new Uint32Array(buffer, at, n),
    slice: new Uint32Array(buffer, at + 4 * n, n),
    count: new Uint32Array(buffer, at + 8 * n, n),
    start: new Uint16Array(buffer, at + 12 * n, n),
    len: new Uint16Array(buffer, at + 14 * n, n),
    cls: new Uint8Array(buffer, at + 16 * n, n),
    busy: new Uint8Array(buffer, at + 17 * n, n),
  };
}

function decodeRow(from: DataView, entry: Entry, to: Columns): Columns {
  if (to.kind === 0) decodeSlices(from, entry, to);
  else decodeValues(from, entry, to);
  return to;
}

/** Reads the columns of a row one after the other. */
class Reader {
  private at: number;
  private column = 0;

  constructor(
    private readonly from: DataView,
    private readonly entry: Entry,
  ) {
    this.at = entry.offset;
  }

  /** The next column, its numbers as wide as they are told to be: 1, 2 or 4 bytes, or all the same. */
  into(to: Uint32Array | Uint16Array | Uint8Array): void {
    const { row, n, offset, bytes, widths } = this.entry;
    const width = (widths >>> (4 * this.column)) & 15;
    const full = FULL[this.column++];
    const size = width ? n * width : 4;
    const fits = width !== 3 && width <= full && this.at + size <= offset + bytes;
    const one = fits && width === 0 ? this.from.getUint32(this.at, true) : 0;
    if (!fits || one >= 256 ** full) throw new TileError(`Row ${row} of a tile does not fit its reply.`);
    const buffer = this.from.buffer as ArrayBuffer;
    if (width === 0) to.fill(one);
    else if (width === 1) to.set(new Uint8Array(buffer, this.at, n));
    else if (width === 2) to.set(new Uint16Array(buffer, this.at, n));
    else to.set(new Uint32Array(buffer, this.at, n));
    this.at += (size + 3) & ~3;
  }
}

function decodeSlices(from: DataView, entry: Entry, { name, slice, count, start, len, cls, busy }: SliceColumns): void {
  if (entry.n === 0) return;
  const reader = new Reader(from, entry);
  for (const column of [name, slice, count, start, len, cls, busy]) reader.into(column);
  // Slices and starts are told as the way from the one before.
  let [number, step] = [0, 0];
  for (let i = 0; i < entry.n; i++) {
    number = slice[i] += number;
    step += start[i];
    if (step >= STEPS) throw new TileError(`Row ${entry.row} of a tile goes beyond it.`);
    start[i] = step;
  }
}

function decodeValues(from: DataView, { row, n, offset, bytes }: Entry, { min, max, last, start }: ValueColumns): void {
  if (n * VALUE_BYTES > bytes) throw new TileError(`Row ${row} of a tile does not fit its reply.`);
  [min, max, last].forEach((column, at) => column.set(new Float64Array(from.buffer as ArrayBuffer, offset + 8 * n * at, n)));
  start.set(new Uint16Array(from.buffer as ArrayBuffer, offset + 24 * n, n));
  let before = 0;
  for (const step of start) {
    if (step >= STEPS || step < before) throw new TileError(`Row ${row} of a tile is not in order.`);
    before = step;
  }
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
