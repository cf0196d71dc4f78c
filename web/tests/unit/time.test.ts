// Times as people read and type them.

import { describe, expect, it } from "vitest";
import { bytes, count, digitsFor, duration, parsePosition, percent, quantity, relative, wall, wallClock, wallDay } from "../../src/timeline/time";

const clock = wallClock("1763809424120000000", "+0100"); // 2025-11-22 11:03:44.12 UTC

describe("duration", () => {
  it.each([
    [0, "0 ns"], [1, "1 ns"], [999, "999 ns"], [1000, "1 µs"], [1234, "1.23 µs"], [99950, "100 µs"], [999499, "999 µs"], [999600, "1 ms"],
    [1.5e6, "1.5 ms"], [12.34e6, "12.3 ms"], [1e9, "1 s"], [99.99e9, "100 s"], [125e9, "2 min 5 s"], [7265e9, "2 h 1 min"], [-1500, "−1.5 µs"],
  ])("%d ns is %s", (ns, text) => expect(duration(ns)).toBe(text));
  it("says a dash for what is no number", () => expect(duration(NaN)).toBe("–"));
});

describe("positions", () => {
  it("has as many digits as a step needs", () => {
    expect([1e9, 1e8, 5e7, 1e6, 1e3, 1].map(digitsFor)).toEqual([0, 1, 2, 3, 6, 9]);
    expect(relative(1204850123, 1e3)).toBe("1.204\u202f850 s");
    expect(relative(5e9, 1e9)).toBe("5 s");
  });
  it("tells the time of day in the trace's zone, over midnight too", () => {
    if (!clock) throw new Error("no clock");
    expect(wall(0, 1e6, clock)).toBe("12:03:44.120");
    expect(wall(12 * 3600e9, 1e9, clock)).toBe("00:03:44");
    expect(wallDay(clock)).toBe("2025-11-22");
  });
  it("takes no clock that is none", () => {
    expect(wallClock("", "+0100")).toBeNull();
    expect(wallClock("12x", "")).toBeNull();
    expect(wallClock("0", "")).toBeNull();
  });
  it.each([["1.5s", 1.5e9], ["300 ms", 3e8], ["12.5", 12.5e9], ["7us", 7000], ["2 min", 120e9], ["12:03:45.120", 1e9], ["00:03:44,12", 12 * 3600e9], ["12:03:43", -1.12e9]])(
    "reads %s", (text, ns) => expect(parsePosition(text, clock, 13 * 3600e9)).toBeCloseTo(ns, 0));
  it.each(["", "abc", "25:00", "12:61", "1.5 parsecs", "--3"])("refuses “%s”", (text) => expect(parsePosition(text, clock)).toBeNull());
  it("knows no time of day without a clock", () => expect(parsePosition("12:03:44", null)).toBeNull());
});

it("quantities", () => {
  expect([0, 999, 1500, 12.34e6, -2048].map(bytes)).toEqual(["0 B", "999 B", "1.5 kB", "12.3 MB", "−2.05 kB"]);
  expect([5, 51994, 1234567].map(count)).toEqual(["5", "51\u202f994", "1.23 M"]);
  expect([quantity(2e6, "nanoseconds"), quantity(1e6, "bytes/s"), quantity(3, "threads"), quantity(3, "count")]).toEqual(["2 ms", "1 MB/s", "3 threads", "3"]);
  expect([percent(1, 3), percent(1, 2000), percent(0, 5), percent(1, 0)]).toEqual(["33 %", "<0.1 %", "0 %", "–"]);
});
