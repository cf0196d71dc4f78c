// Every label can be read, and states can be told apart by who sees fewer colours.

import { describe, expect, it } from "vitest";
import { CLASSES, colourOf, contrast, hexRgb, inkOn, lookColour, nameColour, patternOf, textSeed, thirdsOf, type Rgb, type Theme } from "../../src/timeline/colours";
import { diffColour, frameColour } from "../../src/flame/flame_colour";
import { ciede2000, seenBy, SIGHTS } from "./sight";

const THEMES: Theme[] = ["light", "dark"];
const BACK: Record<Theme, Rgb> = { light: hexRgb("#ffffff"), dark: hexRgb("#15181c") };

describe.each(THEMES)("%s", (theme) => {
  it("has ink that reads on every class", () => {
    for (let cls = 0; cls < CLASSES; cls++) {
      const colour = colourOf(cls, 0, theme);
      expect(contrast(colour, inkOn(colour)), `class ${cls}`).toBeGreaterThanOrEqual(4.5);
    }
  });
  it("has ink that reads on every name", () => {
    for (let name = 0; name < 2000; name++) expect(contrast(nameColour(name), inkOn(nameColour(name)))).toBeGreaterThanOrEqual(4.5);
  });
  it("shows every busy state on the page's own colour", () => {
    for (const cls of [1, 3, 4, 5, 8, 9, 10]) expect(contrast(colourOf(cls, 0, theme), BACK[theme]), `class ${cls}`).toBeGreaterThanOrEqual(1.9);
  });
  it.each(SIGHTS)("tells states apart with %s sight, or by pattern or height", (sight) => {
    const states = [1, 2, 3, 4, 5, 6, 7, 8, 9];
    for (const a of states) {
      for (const b of states.filter((each) => each > a)) {
        if (patternOf(a) !== patternOf(b) || thirdsOf(a) !== thirdsOf(b)) continue;
        const apart = ciede2000(seenBy(sight, colourOf(a, 0, theme)), seenBy(sight, colourOf(b, 0, theme)));
        expect(apart, `classes ${a} and ${b}`).toBeGreaterThanOrEqual(a === 6 && b === 7 ? 4 : 12);
      }
    }
  });
});

it("knows what it does not know as other", () => expect(colourOf(200, 0, "light")).toEqual(colourOf(21, 0, "light")));
it("gives a guess the colour of who it is about, and another pattern and height", () => {
  expect(lookColour("cpu", 22, 4, "dark")).toEqual(lookColour("cpu", 1, 3, "dark"));
  expect(patternOf(22)).not.toBe(patternOf(1));
  expect(thirdsOf(22)).not.toBe(thirdsOf(1));
});
it("gives a CPU's threads colours of their own", () => expect(lookColour("cpu", 1, 3, "light")).not.toEqual(lookColour("cpu", 1, 4, "light")));
it("gives threads of one pool one colour", () => expect(textSeed("io-worker-7")).toBe(textSeed("io-worker-12")));
it("writes black on every frame and difference", () => {
  for (let i = 0; i < 500; i++) expect(contrast(frameColour({ function: `f${String.fromCharCode(97 + (i % 26))}${"x".repeat(i % 9)}`, file: "", line: 0, module: `m${"y".repeat(i % 17)}` }), [0, 0, 0])).toBeGreaterThanOrEqual(4.5);
  for (let change = -1; change <= 1; change += 0.05) expect(contrast(diffColour(change), [0, 0, 0])).toBeGreaterThanOrEqual(4.5);
});
