// Tiles by brute force: every slice is looked at, for every step.  The oracle of the drawing tests.

import { STEPS, stepOf } from "../../src/timeline/tile";
import type { MadeRow, MadeTrace } from "./made_trace";

type Entry = { name: number; slice: number; count: number; start: number; len: number; cls: number; busy: number };

export function bruteEntries(row: MadeRow, level: number, index: number): Entry[] {
  const step = stepOf(level);
  const from = index * STEPS * step;
  const to = from + STEPS * step;
  const own: Entry[] = [];
  const folded = new Map<number, Entry & { longest: number; covered: number }>();
  row.slices.forEach((slice, at) => {
    if (slice.end <= from || slice.start >= to) return;
    const start = Math.floor((Math.max(slice.start, from) - from) / step);
    if (slice.end - slice.start >= step) {
      const end = Math.min(STEPS, Math.max(start + 1, Math.round((slice.end - from) / step)));
      own.push({ name: slice.name, slice: at, count: 1, start, len: end - start, cls: slice.cls, busy: 255 });
      return;
    }
    const length = slice.end - slice.start;
    const cell = folded.get(start) ?? { name: 0, slice: 0, count: 0, start, len: 1, cls: 0, busy: 0, longest: -1, covered: 0 };
    cell.count++;
    cell.covered += length;
    if (length > cell.longest) Object.assign(cell, { longest: length, name: slice.name, slice: at, cls: slice.cls });
    folded.set(start, cell);
  });
  const cells = [...folded.values()].map(({ longest: _, covered, ...cell }) => ({ ...cell, busy: Math.min(255, Math.round((covered / step) * 255)) }));
  return [...own, ...cells].sort((a, b) => a.start - b.start || b.len - a.len);
}

type Value = { min: number; max: number; last: number; start: number };

export function bruteValues(row: MadeRow, level: number, index: number): Value[] {
  const step = stepOf(level);
  const from = index * STEPS * step;
  const list: Value[] = [];
  const held = row.values.filter((value) => value.at <= from).pop();
  if (held) list.push({ min: held.value, max: held.value, last: held.value, start: 0 });
  for (const { at, value } of row.values) {
    if (at <= from || at >= from + STEPS * step) continue;
    const start = Math.floor((at - from) / step);
    const last = list[list.length - 1];
    if (last?.start === start) Object.assign(last, { min: Math.min(last.min, value), max: Math.max(last.max, value), last: value });
    else list.push({ min: value, max: value, last: value, start });
  }
  return list;
}

/** The reply of /api/tiles in bytes. */
export function bruteTiles(trace: MadeTrace, level: number, index: number, rows: number[], partial = false): ArrayBuffer {
  const bodies = rows.map((id) => {
    const row = trace.rows[id];
    return row.kind === "value" ? valueBody(bruteValues(row, level, index)) : sliceBody(bruteEntries(row, level, index));
  });
  const head = 32 + rows.length * 24;
  const total = head + bodies.reduce((sum, body) => sum + body.bytes.byteLength, 0);
  const buffer = new ArrayBuffer(total);
  const view = new DataView(buffer);
  view.setUint32(0, 0x4c545443, true);
  view.setUint16(4, 3, true);
  view.setUint16(6, partial ? 1 : 0, true);
  view.setUint32(8, level, true);
  view.setUint32(12, rows.length, true);
  view.setBigUint64(16, BigInt(index), true);
  view.setBigUint64(24, BigInt(index * STEPS * stepOf(level)), true);
  let offset = 0;
  bodies.forEach((body, at) => {
    const entry = 32 + at * 24;
    [rows[at], body.kind, body.n, head + offset, body.bytes.byteLength, body.widths].forEach((word, i) => view.setUint32(entry + 4 * i, word, true));
    new Uint8Array(buffer, head + offset, body.bytes.byteLength).set(body.bytes);
    offset += body.bytes.byteLength;
  });
  return buffer;
}

type Body = { kind: number; n: number; widths: number; bytes: Uint8Array };

/** A column as docs/view-api.md has it: as wide as its greatest number, or one for all. */
function column(numbers: number[]): { width: number; bytes: number[] } {
  const most = Math.max(...numbers);
  const same = numbers.every((each) => each === numbers[0]);
  const width = same ? 0 : most < 256 ? 1 : most < 65536 ? 2 : 4;
  const bytes = (same ? [numbers[0]] : numbers).flatMap((number) => Array.from({ length: width || 4 }, (_, at) => (number >>> (8 * at)) & 255));
  while (bytes.length % 4) bytes.push(0);
  return { width, bytes };
}

function sliceBody(entries: Entry[]): Body {
  if (!entries.length) return { kind: 0, n: 0, widths: 0, bytes: new Uint8Array(0) };
  const way = (of: (entry: Entry) => number) => entries.map((entry, i) => (of(entry) - (i ? of(entries[i - 1]) : 0)) >>> 0);
  const plain = (of: (entry: Entry) => number) => entries.map(of);
  const columns = [
    plain((each) => each.name), way((each) => each.slice), plain((each) => each.count), way((each) => each.start), plain((each) => each.len),
    plain((each) => each.cls), plain((each) => each.busy),
  ].map(column);
  const bytes = columns.flatMap((each) => each.bytes);
  while (bytes.length % 8) bytes.push(0);
  return { kind: 0, n: entries.length, widths: columns.reduce((sum, { width }, at) => sum | (width << (4 * at)), 0), bytes: Uint8Array.from(bytes) };
}

function valueBody(values: Value[]): Body {
  const n = values.length;
  const bytes = new Uint8Array(Math.ceil((n * 26) / 8) * 8);
  const view = new DataView(bytes.buffer);
  values.forEach((value, i) => {
    view.setFloat64(8 * i, value.min, true);
    view.setFloat64(8 * n + 8 * i, value.max, true);
    view.setFloat64(16 * n + 8 * i, value.last, true);
    view.setUint16(24 * n + 2 * i, value.start, true);
  });
  return { kind: 1, n, widths: 0, bytes };
}
