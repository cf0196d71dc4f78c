// A counter's row in pixels, against each value looked at one by one.

import { expect, it } from "vitest";
import { paintValues, rgbaOf, valueInks, type Point } from "../../src/timeline/value_strip";

const inks = { back: 1, fill: 2, both: 3, line: 4 };

it("knows the colours of the style sheet", () => {
  expect(rgbaOf("#0a62bd")).toEqual([10, 98, 189, 1]);
  expect(rgbaOf("rgb(10 98 189 / 0.14)")).toEqual([10, 98, 189, 0.14]);
  const { back, fill, both, line } = valueInks("#ffffff", "rgb(0 0 0 / 0.5)", "#010203");
  expect([back, fill, both, line].map((each) => each.toString(16))).toEqual(["ffffffff", "ff808080", "ff404040", "ff030201"]);
});

it.each([1, 2])("draws every value where it is, at %d device pixels a px", (ratio) => {
  const [width, height] = [100 * ratio, 12 * ratio];
  const points: Point[] = Array.from({ length: 40 }, (_, at) => {
    const last = (at * 7) % 11;
    return { x: at * 2.5, width: 1, min: Math.max(0, last - (at % 3)), max: Math.min(10, last + (at % 2)), last };
  });
  const words = new Uint32Array(width * height).fill(99);
  paintValues(words, width, height, ratio, points, 0, 10, inks);
  const at = (x: number, y: number) => words[y * width + x];
  const yOf = (value: number) => Math.round(height - 1 - (value * (height - 2 * ratio)) / 10);
  expect(words.includes(99)).toBe(false);
  points.forEach(({ x, width: wide, last, min, max }, place) => {
    const x0 = Math.round(x * ratio);
    const x1 = Math.round((points[place + 1]?.x ?? 100) * ratio);
    for (let px = x0; px < x1; px++) expect(at(px, yOf(last)), `the line of ${place}`).toBe(inks.line);
    const free = x1 - 1; // where neither band nor the way from the value before is
    if (free < x0 + Math.max(ratio, wide * ratio)) return;
    for (let y = 0; y < yOf(last); y++) expect(at(free, y), `above ${place}`).toBe(inks.back);
    for (let y = yOf(last) + ratio; y < height; y++) expect(at(free, y), `below ${place}`).toBe(inks.fill);
    if (max > min && place === 0) for (let y = yOf(max); y < yOf(last); y++) expect(at(x0, y)).toBe(inks.fill);
  });
});
