// Paints rows of a tile into strips: 1024 pixels wide, one or three high, stretched to the row's height when drawn.

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

/** The words of a colour by the 255ths of a step that are covered; the last is that of what is not folded. */
type Shades = { rgb: Rgb; words: Uint32Array };
/** How a class is painted: `shades` null, by its name. */
type Way = { shades: Shades | null; alpha: number; least: number; thirds: number };
type Ways = { of: Way[]; named: Map<number, Shades> };

const WHOLE = 256;
const NAMED_MOST = 2000;
const ways = new Map<string, Ways>();

const shadesOf = (rgb: Rgb): Shades => ({ rgb, words: new Uint32Array(WHOLE + 1) });

/** What is worked out once is looked up for each of some ten thousand slices, most of them before a compiler has seen this. */
function waysOf(look: Look, theme: Theme, ground: number): Ways {
  const key = `${look} ${theme} ${ground}`;
  let known = ways.get(key);
  if (known) return known;
  known = { of: [], named: new Map() };
  for (let cls = 0; cls <= CLASSES; cls++) {
    const guess = isGuess(cls);
    known.of.push({
      shades: isNamed(look, cls) ? null : shadesOf(lookColour(look, cls, 0, theme)),
      alpha: guess ? GUESS : 255,
      least: RARE.has(cls) ? 200 : 88,
      thirds: look === "state" || guess ? thirdsOf(cls) : 7,
    });
  }
  ways.set(key, known);
  return known;
}

/** The shades of a class that is painted by its name. */
function shadesOfName({ named }: Ways, look: Look, cls: number, name: number, theme: Theme): Shades {
  const key = name * CLASSES + cls;
  let shades = named.get(key);
  if (!shades) {
    if (named.size >= NAMED_MOST) named.clear();
    shades = shadesOf(lookColour(look, cls, name, theme));
    named.set(key, shades);
  }
  return shades;
}

/** What is folded into a step is the fainter the less of the step it covers, but never gone. */
function shade({ rgb, words }: Shades, { alpha, least }: Way, share: number, ground: number): number {
  const at = share < WHOLE ? Math.min(alpha, least + Math.round((share / 255) * (255 - least))) : alpha;
  return (words[share] = laid(rgb, at, ground));
}

/** A colour laid over the ground, as an RGBA word. */
function laid([r, g, b]: Rgb, alpha: number, ground: number): number {
  const rest = 255 - alpha;
  const red = (r * alpha + (ground & 255) * rest + 127) / 255;
  const green = (g * alpha + ((ground >> 8) & 255) * rest + 127) / 255;
  const blue = (b * alpha + ((ground >> 16) & 255) * rest + 127) / 255;
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

/** How many lines a row's strip has: one, where all that is in it fills the row's whole height. */
export function bandsOf({ n, cls }: SliceColumns, look: Look): number {
  if (look === "state") return BANDS;
  for (let i = 0; i < n; i++) if (isGuess(cls[i])) return BANDS;
  return 1;
}

/**
 * Paints `columns` into `bands` lines of `pixels` (RGBA words, 1024 a line), as many as they need, that begin at word `at` and are of
 * colour `ground`.
 */
export function paintStrip(pixels: Uint32Array, at: number, columns: SliceColumns, look: Look, theme: Theme, ground: number, bands: number): void {
  const all = waysOf(look, theme, ground);
  const { n, start: starts, len: lens, cls: classes, name: names, count: counts, busy: shares } = columns;
  for (let i = 0; i < n; i++) {
    const cls = classes[i] < CLASSES ? classes[i] : CLASSES;
    const way = all.of[cls];
    const shades = way.shades ?? shadesOfName(all, look, cls, names[i], theme);
    const share = counts[i] > 1 || shares[i] < 255 ? shares[i] : WHOLE;
    const word = shades.words[share] || shade(shades, way, share, ground);
    const { thirds } = way;
    const from = at + starts[i];
    const len = lens[i];
    for (let band = 0, line = from; band < bands; band++, line += STEPS) {
      if (!(thirds & (4 >> band))) continue;
      if (len <= 1) pixels[line] = word;
      else stretch(pixels, line, Math.min(STEPS - starts[i], len), word, starts[i] + len < STEPS ? shades.rgb : null, ground);
    }
  }
}

/** More than one step; `rgb`: where there is room, and something after it, the last is paler. */
function stretch(pixels: Uint32Array, from: number, len: number, word: number, rgb: Rgb | null, ground: number): void {
  run(pixels, from, from + len, word);
  if (rgb && len >= GAP_FROM) pixels[from + len - 1] = laid(rgb, GAP, ground);
}

/** Adds the entries at least `least` steps wide to `list`: the only ones that labels and patterns are drawn on. */
export function wideEntries({ n, len }: SliceColumns, least: number, list: number[]): void {
  for (let i = 0; i < n; i++) if (len[i] >= least) list.push(i);
}
