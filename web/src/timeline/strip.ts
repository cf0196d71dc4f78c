// Paints rows of a tile into strips: 1024 pixels wide, three high, stretched to the row's height when drawn.

import { CLASSES, isGuess, isNamed, lookColour, thirdsOf, type Look, type Rgb, type Theme } from "./colours";
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

/** How a class is painted: `rgb` null, by its name. */
type Way = { rgb: Rgb | null; alpha: number; least: number; thirds: number };

const ways = new Map<string, Way[]>();

function waysOf(look: Look, theme: Theme): Way[] {
  const known = ways.get(look + theme);
  if (known) return known;
  const made: Way[] = [];
  for (let cls = 0; cls <= CLASSES; cls++) {
    const guess = isGuess(cls);
    made.push({
      rgb: isNamed(look, cls) ? null : lookColour(look, cls, 0, theme),
      alpha: guess ? GUESS : 255,
      least: RARE.has(cls) ? 200 : 88,
      thirds: look === "state" || guess ? thirdsOf(cls) : 7,
    });
  }
  ways.set(look + theme, made);
  return made;
}

/** A colour laid over the ground, as an RGBA word. */
function laid([r, g, b]: Rgb, alpha: number, ground: number): number {
  const rest = 255 - alpha;
  const red = (r * alpha + (ground & 255) * rest + 127) / 255;
  const green = (g * alpha + ((ground >> 8) & 255) * rest + 127) / 255;
  const blue = (b * alpha + ((ground >> 16) & 255) * rest + 127) / 255;
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

/**
 * Paints `columns` into the three lines of `pixels` (RGBA words, 1024 a line) that begin at word `at` and are of colour `ground`.
 * Answers whether all three are the same.
 */
export function paintStrip(pixels: Uint32Array, at: number, columns: SliceColumns, look: Look, theme: Theme, ground: number): boolean {
  let even = true;
  const all = waysOf(look, theme);
  const { n, start: starts, len: lens, cls: classes, name: names, count: counts, busy: shares } = columns;
  for (let i = 0; i < n; i++) {
    const cls = classes[i];
    const way = all[cls < CLASSES ? cls : CLASSES];
    const rgb = way.rgb ?? lookColour(look, cls, names[i], theme);
    const start = starts[i];
    const end = Math.min(STEPS, start + Math.max(1, lens[i]));
    let alpha = way.alpha;
    // What is folded into a step is the fainter the less of the step it covers, but never gone.
    if (counts[i] > 1 || shares[i] < 255) alpha = Math.min(alpha, way.least + Math.round((shares[i] / 255) * (255 - way.least)));
    const word = laid(rgb, alpha, ground);
    even &&= way.thirds === 7;
    const gap = end - start >= GAP_FROM && end < STEPS ? laid(rgb, GAP, ground) : 0;
    for (let band = 0; band < BANDS; band++) {
      if (!(way.thirds & (1 << (BANDS - 1 - band)))) continue;
      const line = at + band * STEPS;
      run(pixels, line + start, line + end, word);
      if (gap) pixels[line + end - 1] = gap;
    }
  }
  return even;
}

/** The entries at least `least` steps wide: the only ones that labels and patterns are drawn on. */
export function wideEntries(columns: SliceColumns, least: number): Uint16Array {
  const wide: number[] = [];
  for (let i = 0; i < columns.n; i++) if (columns.len[i] >= least) wide.push(i);
  return Uint16Array.from(wide);
}
