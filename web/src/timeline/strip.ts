// Paints rows of a tile into RGBA strips: 1024 pixels wide, three high, stretched to the row's height when drawn.

import { isGuess, lookColour, thirdsOf, type Look, type Theme } from "./colours";
import { STEPS } from "./tile";
import type { SliceColumns } from "./tile_reply";

export const BANDS = 3;

const RARE = new Set([11, 12, 13, 16, 17, 18, 19, 20]); // pauses, points and gaps: short, and what one looks for
const GAP = 96; // alpha of a slice's last step: a gap that keeps equal neighbours apart
const GUESS = 150; // alpha of what is only guessed
const GAP_FROM = 4; // steps: narrower slices have no room for one

const FILLED = 16; // px: shorter runs are written word by word, which a call would take longer for

function run(pixels: Uint32Array, from: number, to: number, word: number): void {
  if (to - from >= FILLED) pixels.fill(word, from, to);
  else for (let at = from; at < to; at++) pixels[at] = word;
}

/** Paints `columns` into the three lines of `pixels` (RGBA words, 1024 a line) that begin at word `at`. */
export function paintStrip(pixels: Uint32Array, at: number, columns: SliceColumns, look: Look, theme: Theme): void {
  for (let i = 0; i < columns.n; i++) {
    const start = columns.start[i];
    const end = Math.min(STEPS, start + Math.max(1, columns.len[i]));
    const cls = columns.cls[i];
    const rgb = lookColour(look, cls, columns.name[i], theme);
    const colour = (rgb[2] << 16) | (rgb[1] << 8) | rgb[0];
    const guess = isGuess(cls);
    let alpha = guess ? GUESS : 255;
    if (columns.count[i] > 1 || columns.busy[i] < 255) {
      // What is folded into a step is the fainter the less of the step it covers, but never gone.
      const least = RARE.has(cls) ? 200 : 88;
      alpha = Math.min(alpha, least + Math.round((columns.busy[i] / 255) * (255 - least)));
    }
    const word = (colour | (alpha << 24)) >>> 0;
    const thirds = look === "state" || guess ? thirdsOf(cls) : 7;
    for (let band = 0; band < BANDS; band++) {
      if (!(thirds & (1 << (BANDS - 1 - band)))) continue;
      const line = at + band * STEPS;
      run(pixels, line + start, line + end, word);
      if (end - start >= GAP_FROM && end < STEPS) pixels[line + end - 1] = (colour | (GAP << 24)) >>> 0;
    }
  }
}

/** The entries at least `least` steps wide: the only ones that labels and patterns are drawn on. */
export function wideEntries(columns: SliceColumns, least: number): Uint16Array {
  const wide: number[] = [];
  for (let i = 0; i < columns.n; i++) if (columns.len[i] >= least) wide.push(i);
  return Uint16Array.from(wide);
}
