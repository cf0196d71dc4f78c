import { describe, expect, it } from "vitest";
import { atEnd, grown, touchesEnd } from "../../src/timeline/live";

describe("a trace that grows", () => {
  it("stays whole in view where it was whole", () => {
    expect(grown({ start: 0, end: 1000 }, 1000, 1500, true)).toEqual({ start: 0, end: 1500 });
  });
  it("goes along at its end, as long as before", () => {
    expect(grown({ start: 600, end: 1000 }, 1000, 1500, true)).toEqual({ start: 1100, end: 1500 });
  });
  it("leaves alone who looks elsewhere, or does not follow", () => {
    const view = { start: 100, end: 500 };
    expect(grown(view, 1000, 1500, true)).toBe(view);
    const last = { start: 600, end: 1000 };
    expect(grown(last, 1000, 1500, false)).toBe(last);
    expect(grown({ start: 0, end: 1000 }, 1000, 1500, false)).toEqual({ start: 0, end: 1000 });
  });
  it("does nothing when it did not grow", () => {
    const view = { start: 0, end: 1000 };
    expect(grown(view, 1000, 1000, true)).toBe(view);
  });
  it("finds the end, also of a trace shorter than the view", () => {
    expect(atEnd({ start: 100, end: 500 }, 10000)).toEqual({ start: 9600, end: 10000 });
    expect(touchesEnd({ start: 0, end: 2000 }, 1500)).toBe(true);
    expect(touchesEnd({ start: 0, end: 1000 }, 1500)).toBe(false);
  });
});
