// Moving, zooming, ticks and the grid of tiles.

import { describe, expect, it } from "vitest";
import { roundStep, ticks } from "../../src/timeline/axis";
import { levelFor, rowList, STEPS, stepOf, tilesOf } from "../../src/timeline/tile";
import { wallClock } from "../../src/timeline/time";
import { around, between, clampView, pan, reveal, toNs, toX, zoom } from "../../src/timeline/viewport";
import { random } from "../fake/made_trace";

const SPAN = 1e9;

describe("view", () => {
  it("stays inside the trace whatever is asked", () => {
    const next = random(3);
    let view = { start: 0, end: SPAN };
    for (let i = 0; i < 5000; i++) {
      view = next() < 0.5 ? pan(view, (next() - 0.5) * 3 * SPAN, SPAN) : zoom(view, view.start + next() * (view.end - view.start), 10 ** (next() * 4 - 2), SPAN);
      expect(view.start).toBeGreaterThanOrEqual(0);
      expect(view.end).toBeLessThanOrEqual(SPAN + 1e-3);
      expect(view.end - view.start).toBeGreaterThan(99);
    }
  });
  it("keeps what is under the pointer while it zooms", () => {
    const view = zoom({ start: 2e8, end: 6e8 }, 3e8, 0.1, SPAN);
    expect(toX(view, 1000, 3e8)).toBeCloseTo(250, 6);
    expect(toNs(view, 1000, 250)).toBeCloseTo(3e8, 3);
  });
  it("takes no view that is none", () => {
    expect(clampView({ start: NaN, end: 5 }, SPAN)).toEqual({ start: 0, end: SPAN });
    expect(clampView({ start: 5, end: 5 }, 0)).toEqual({ start: 0, end: 100 });
  });
  it("moves only as far as it must to show something", () => {
    expect(reveal({ start: 0, end: 100e6 }, 40e6, 50e6, SPAN)).toEqual({ start: 0, end: 100e6 });
    expect(reveal({ start: 0, end: 100e6 }, 400e6, 420e6, SPAN)).toEqual({ start: 360e6, end: 460e6 });
    expect(around(400e6, 500e6, SPAN).start).toBeCloseTo(385e6);
  });
  it("glides from one view to the other", () => {
    const [from, to] = [{ start: 0, end: SPAN }, { start: 5e8, end: 5e8 + 1000 }];
    const half = between(from, to, 0.5);
    expect(half.end - half.start).toBeCloseTo(1e6, -1); // the geometric middle
    expect(between(from, to, 1)).toEqual(to);
    expect(between(from, to, 0)).toEqual(from);
  });
});

describe("axis", () => {
  it("steps by round numbers", () => {
    expect([1, 3, 12, 1.1e6, 0.9e9, 40e9, 4000e9].map(roundStep)).toEqual([1, 5, 20, 2e6, 1e9, 60e9, 7200e9]);
  });
  it("labels round times, apart from each other", () => {
    const list = ticks({ start: 12e6, end: 92e6 }, 1000, 100, null).filter((tick) => tick.label);
    expect(list.map((tick) => tick.ns)).toEqual([20e6, 30e6, 40e6, 50e6, 60e6, 70e6, 80e6, 90e6]);
    expect(list[0].label).toBe("0.02 s");
  });
  it("labels round times of the clock, which are not the trace's", () => {
    const list = ticks({ start: 0, end: 10e9 }, 1000, 100, wallClock("1763809424120000000", "+0000")).filter((tick) => tick.label);
    expect(list[0]).toMatchObject({ ns: 880e6, label: "11:03:45" });
  });
});

describe("tiles", () => {
  it("gives each step one to two device pixels", () => {
    const next = random(5);
    for (let i = 0; i < 1000; i++) {
      const view = { start: 0, end: 10 ** (2 + next() * 12) };
      const pixels = 300 + Math.floor(next() * 4000);
      const px = (stepOf(levelFor(view, pixels)) / (view.end - view.start)) * pixels;
      if (levelFor(view, pixels) > 0) expect(px).toBeGreaterThanOrEqual(0.999);
      if (levelFor(view, pixels) > 0) expect(px).toBeLessThan(2.001);
    }
  });
  it("covers the view and no more, and nothing beyond the trace", () => {
    expect(tilesOf({ start: 0, end: STEPS * 4 }, 2, 1e9)).toEqual({ level: 2, first: 0, last: 0 });
    expect(tilesOf({ start: STEPS * 4 - 1, end: STEPS * 4 + 1 }, 2, 1e9)).toEqual({ level: 2, first: 0, last: 1 });
    expect(tilesOf({ start: 0, end: 1e9 }, 40, 1e9)).toEqual({ level: 40, first: 0, last: 0 });
    expect(tilesOf({ start: 0, end: 1 }, 0, 0)).toEqual({ level: 0, first: 0, last: 0 });
  });
  it("writes rows short", () => expect(rowList([9, 3, 1, 2, 2, 7, 10])).toBe("1-3,7,9-10"));
});
