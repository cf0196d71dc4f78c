// The decoder against tiles made by brute force, and against every way to cut or bend one.

import { describe, expect, it } from "vitest";
import { decodeTiles, entryAt, TileError, type SliceColumns } from "../../src/timeline/tile_reply";
import { STEPS, stepOf } from "../../src/timeline/tile";
import { bruteEntries, bruteTiles, bruteValues } from "../fake/brute_tiles";
import { makeTrace, random } from "../fake/made_trace";

const trace = makeTrace({ span: 20e6, threads: 3, idle: 1 });
const all = trace.rows.map((row) => row.id);

describe("decoding", () => {
  it.each([[0, 40], [6, 12], [10, 3], [14, 0], [24, 0]])("gives back what went in at level %d, tile %d", (level, index) => {
    const reply = decodeTiles(bruteTiles(trace, level, index, all, level === 14));
    expect(reply).toMatchObject({ level, index, partial: level === 14, start: index * STEPS * stepOf(level) });
    for (const { row, columns } of reply.rows) {
      if (columns.kind === 1) {
        const { n, min, max, last, start } = columns;
        const got = Array.from({ length: n }, (_, i) => ({ min: min[i], max: max[i], last: last[i], start: start[i] }));
        expect(got).toEqual(bruteValues(trace.rows[row], level, index));
      } else {
        const { n, name, slice, count, start, len, cls, busy } = columns;
        const got = Array.from({ length: n }, (_, i) => ({ name: name[i], slice: slice[i], count: count[i], start: start[i], len: len[i], cls: cls[i], busy: busy[i] }));
        expect(got).toEqual(bruteEntries(trace.rows[row], level, index));
      }
    }
  });
  it("refuses a tile cut anywhere", () => {
    const whole = bruteTiles(trace, 12, 1, all.slice(0, 3));
    for (let length = 0; length < whole.byteLength; length += 7) expect(() => decodeTiles(whole.slice(0, length))).toThrow(TileError);
  });
  it("never reads outside of a bent one", () => {
    const next = random(11);
    const whole = bruteTiles(trace, 13, 0, [0, 1]);
    for (let i = 0; i < 3000; i++) {
      const bytes = new Uint8Array(whole.slice(0));
      for (let k = 0; k < 3; k++) bytes[Math.floor(next() * 80)] = Math.floor(next() * 256);
      try {
        for (const { columns } of decodeTiles(bytes.buffer).rows) expect(columns.n).toBeLessThanOrEqual(2 * STEPS);
      } catch (error) {
        expect(error).toBeInstanceOf(TileError);
      }
    }
  });
  it("refuses entries beyond the tile, and columns wider than what they hold", () => {
    const whole = bruteTiles(trace, 13, 0, [0]);
    const widths = new DataView(whole).getUint32(32 + 20, true);
    const bent = (change: (view: DataView) => void) => {
      const view = new DataView(whole.slice(0));
      change(view);
      return () => decodeTiles(view.buffer);
    };
    expect(bent(() => undefined)().rows[0].columns.n).toBeGreaterThan(2);
    expect(bent((view) => view.setUint32(32 + 20, (widths & ~0xf000) | 0x0000, true))).toThrow(TileError); // of starts the first four bytes, for all
    for (const [at, wide] of [[0, 3], [0, 5], [3, 4], [4, 4], [5, 2], [6, 4]])
      expect(bent((view) => view.setUint32(32 + 20, (widths & ~(15 << (4 * at))) | (wide << (4 * at)), true))).toThrow("does not fit");
  });
  it("says what to do about a tile of another version", () => {
    const bytes = new Uint8Array(bruteTiles(trace, 13, 0, [0]));
    bytes[4] = 9;
    expect(() => decodeTiles(bytes.buffer)).toThrow("reload the page");
  });
});

it("finds the entry at a step, or the nearest within reach", () => {
  const columns = { kind: 0, n: 3, start: Uint16Array.of(10, 20, 40), len: Uint16Array.of(5, 10, 1) } as unknown as SliceColumns;
  expect([9, 10, 14, 15, 25, 40, 41].map((step) => entryAt(columns, step, 0))).toEqual([-1, 0, 0, 0, 1, 2, 2]);
  expect([5, 17, 19, 35, 60].map((step) => entryAt(columns, step, 3))).toEqual([-1, 0, 1, -1, -1]);
  expect(entryAt({ ...columns, n: 0 } as SliceColumns, 3, 100)).toBe(-1);
});
