// Paints a counter's row into pixels.  As paths of a canvas, some thousand steps a row cost twenty times as much without a GPU.

export type Point = { x: number; width: number; min: number; max: number; last: number }; // px
/** RGBA words: the ground, what lies below the value, where that and the band of least and greatest overlap, the value's line. */
export type ValueInks = { back: number; fill: number; both: number; line: number };
export type Rgba = [number, number, number, number];

/** "#rrggbb" or "rgb(r g b / a)", as the style sheet has them. */
export function rgbaOf(css: string): Rgba {
  if (/^#[0-9a-f]{6}$/i.test(css)) return [1, 3, 5].map((at) => parseInt(css.slice(at, at + 2), 16)).concat(1) as Rgba;
  const numbers = css.match(/[\d.]+/g)?.map(Number) ?? [];
  return numbers.length >= 3 ? [numbers[0], numbers[1], numbers[2], numbers[3] ?? 1] : [136, 136, 136, 1];
}

function over(top: Rgba, ground: Rgba): Rgba {
  const mix = (at: number) => Math.round(ground[at] + (top[at] - ground[at]) * top[3]);
  return [mix(0), mix(1), mix(2), 1];
}

function word([r, g, b]: Rgba): number {
  return ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
}

/** A colour of the style sheet that lets nothing through, as an RGBA word. */
export function wordOf(css: string): number {
  return word(rgbaOf(css));
}

export function valueInks(back: string, fill: string, line: string): ValueInks {
  const ground = rgbaOf(back);
  const once = over(rgbaOf(fill), ground);
  return { back: word(ground), fill: word(once), both: word(over(rgbaOf(fill), once)), line: word(over(rgbaOf(line), ground)) };
}

/**
 * All of `words`, `width` x `height` device pixels: the last value as an area and a line, from the least to the greatest of a step a band no
 * wider than the step.  `ratio`: device pixels a px.
 */
export function paintValues(words: Uint32Array, width: number, height: number, ratio: number, points: readonly Point[], least: number, most: number, inks: ValueInks): void {
  const scale = (height - 2 * ratio) / (most - least || 1);
  const yOf = (value: number) => Math.max(0, Math.min(height - 1, Math.round(height - 1 - (value - least) * scale)));
  const ground = yOf(Math.max(0, least)) + 1;
  const thick = Math.max(1, Math.round(ratio));
  const from = (at: number) => Math.max(0, Math.round(points[at].x * ratio));
  const to = (at: number, x: number) => Math.min(width, Math.max(from(at) + 1, Math.round(x * ratio)));
  const next = (at: number) => (at + 1 < points.length ? points[at + 1].x : width / ratio);
  words.fill(inks.back);
  for (let at = 0; at < points.length; at++) {
    const y = yOf(points[at].last);
    box(words, width, from(at), to(at, next(at)), Math.min(y, ground), Math.max(y, ground), inks.fill);
  }
  for (let at = 0; at < points.length; at++) {
    const { x, width: wide, min, max } = points[at];
    if (max > min) band(words, width, from(at), to(at, x + wide), yOf(max), yOf(min), inks);
  }
  let before = -1;
  for (let at = 0; at < points.length; at++) {
    const y = yOf(points[at].last);
    box(words, width, from(at), to(at, next(at)), y, Math.min(height, y + thick), inks.line);
    if (before >= 0) box(words, width, from(at), Math.min(width, from(at) + thick), Math.min(y, before), Math.max(y, before) + 1, inks.line);
    before = y;
  }
}

function box(words: Uint32Array, width: number, x0: number, x1: number, y0: number, y1: number, ink: number): void {
  for (let y = y0; y < y1; y++) for (let at = y * width + x0; at < y * width + x1; at++) words[at] = ink;
}

function band(words: Uint32Array, width: number, x0: number, x1: number, y0: number, y1: number, inks: ValueInks): void {
  for (let y = y0; y < y1; y++) for (let at = y * width + x0; at < y * width + x1; at++) words[at] = words[at] === inks.back ? inks.fill : inks.both;
}
