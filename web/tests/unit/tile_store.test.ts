// What is asked for first covers all in sight.  The queue asks for what is in view first; the cache forgets what was used longest ago, and always has something to show.

import { describe, expect, it } from "vitest";
import { TileCache, type Tile } from "../../src/timeline/tile_cache";
import { TileQueue } from "../../src/timeline/tile_queue";
import { levelFor, STEPS, stepOf } from "../../src/timeline/tile";
import { firstOf, missingOf, type Sight } from "../../src/timeline/tile_wants";
import type { PlacedRow } from "../../src/timeline/lanes";

function tile(level: number, index: number, row: number, cost = 10): Tile {
  const columns = { kind: 0, n: 0 } as unknown as Tile["columns"];
  return { level, index, row, columns, wide: new Uint16Array(0), sheet: new Uint32Array(0), line: 0, even: true, partial: false, revision: 0, cost };
}

describe("cache", () => {
  it("drops what was used longest ago", () => {
    const cache = new TileCache(30);
    for (const row of [1, 2, 3]) cache.put(tile(0, 0, row));
    cache.get(0, 0, 1);
    cache.put(tile(0, 0, 4));
    expect([1, 2, 3, 4].map((row) => cache.has(0, 0, row))).toEqual([true, false, true, true]);
    expect(cache.bytes).toBe(30);
    cache.clear();
    expect([cache.bytes, cache.size]).toEqual([0, 0]);
  });
  it("stands in with the coarser tile, else with finer ones", () => {
    const cache = new TileCache(1000);
    expect(cache.stand(5, 6, 1)).toEqual([]);
    const size = 1024 * 32;
    const fine = tile(4, 13, 1);
    cache.put(fine);
    expect(cache.stand(5, 6, 1)).toEqual([{ tile: fine, from: 6.5 * size, to: 7 * size }]);
    const coarse = tile(7, 1, 1);
    cache.put(coarse);
    expect(cache.stand(5, 6, 1)).toEqual([{ tile: coarse, from: 6 * size, to: 7 * size }]);
    const own = tile(5, 6, 1);
    cache.put(own);
    expect(cache.stand(5, 6, 1)[0].tile).toBe(own);
  });
});

describe("wants", () => {
  const rows = [4, 7, 9].map((id) => ({ row: { id } }) as PlacedRow);
  const sight: Sight = { view: { start: 3e9, end: 8e9 }, devicePixels: 1500, span: 9e9, rows, always: [1, 7], theme: "light", ground: 0, revision: 1, key: "" };
  it("begins with all that is in sight, at a quarter of the steps", () => {
    const first = firstOf(sight);
    const level = levelFor(sight.view, sight.devicePixels) + 2;
    const size = STEPS * stepOf(level);
    expect(first.every((want) => want.level === level && want.rows.join() === "4,7,9,1")).toBe(true);
    expect(first.map((want) => want.index)).toEqual(Array.from({ length: first.length }, (_, at) => first[0].index + at));
    expect(first[0].index * size).toBeLessThanOrEqual(sight.view.start);
    expect((first[first.length - 1].index + 1) * size).toBeGreaterThanOrEqual(sight.view.end);
  });
  it("asks for nothing of that again", () => {
    const had = new Set(firstOf(sight).map((want) => `${want.level}/${want.index}`));
    const wants = missingOf(sight, (level, index) => !had.has(`${level}/${index}`), "all");
    expect(wants.length).toBeGreaterThan(0);
    expect(wants.every((want) => want.level === levelFor(sight.view, sight.devicePixels))).toBe(true);
  });
});

describe("queue", () => {
  it("sends the most urgent first, so many at once, so many rows in one", () => {
    const queue = new TileQueue(2);
    const rows = Array.from({ length: 100 }, (_, at) => at);
    queue.want([{ level: 1, index: 9, rows: [1], urgency: 1 }, { level: 1, index: 5, rows, urgency: 0 }]);
    const [first, second] = [queue.next(), queue.next()];
    expect([first?.index, first?.rows.length, second?.rows.length]).toEqual([5, 64, 36]);
    expect(queue.next()).toBeNull();
    queue.done(first?.id ?? 0);
    expect(queue.next()).toBeNull(); // what is only expected waits until all in view is here
    queue.done(second?.id ?? 0);
    expect(queue.next()?.index).toBe(9);
  });
  it("asks for what is in view only, over a slow line", () => {
    const queue = new TileQueue(4);
    queue.ahead = false;
    queue.want([{ level: 1, index: 9, rows: [1], urgency: 1 }, { level: 1, index: 5, rows: [1], urgency: 0 }]);
    const order = queue.next();
    expect(order?.index).toBe(5);
    queue.done(order?.id ?? 0);
    expect([queue.next(), queue.idle]).toEqual([null, true]);
  });
  it("cancels what nobody wants any more and asks for nothing twice", () => {
    const queue = new TileQueue(4);
    queue.want([{ level: 1, index: 1, rows: [1, 2], urgency: 0 }]);
    const order = queue.next();
    expect(queue.want([{ level: 1, index: 1, rows: [2, 3], urgency: 0 }])).toEqual([]);
    expect(queue.next()?.rows).toEqual([3]);
    expect(queue.want([{ level: 2, index: 0, rows: [1], urgency: 0 }])).toContain(order?.id);
    expect(queue.idle).toBe(false);
  });
});
