// The canvases' own colours, read from the style sheet once a theme, and the patterns that are a class's second cue.

import type { Pattern, Theme } from "./colours";

export type Inks = {
  theme: Theme;
  back: string;
  heading: string;
  line: string;
  faint: string;
  text: string;
  dim: string;
  accent: string;
  accentFill: string;
  pause: string;
  hit: string;
  font: string;
};

const read = new Map<Theme, Inks>();

export function readInks(element: Element, theme: Theme): Inks {
  const known = read.get(theme);
  if (known) return known;
  const inks = inksOf(element, theme);
  if (document.documentElement.dataset.theme === theme) read.set(theme, inks); // else the page is not that theme yet
  return inks;
}

function inksOf(element: Element, theme: Theme): Inks {
  const style = getComputedStyle(element);
  const of = (name: string) => style.getPropertyValue(`--${name}`).trim() || "#888888";
  return {
    theme,
    back: of("back"),
    heading: of("heading"),
    line: of("line"),
    faint: of("faint"),
    text: of("text"),
    dim: of("dim"),
    accent: of("accent"),
    accentFill: of("accent-fill"),
    pause: of("pause"),
    hit: of("hit"),
    font: "11px system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif",
  };
}

const SIZE = 8;

const STROKES: Record<Exclude<Pattern, "">, [number, number, number, number][]> = {
  rising: [[-1, 9, 9, -1], [-1, 1, 1, -1], [7, 9, 9, 7]],
  falling: [[-1, -1, 9, 9], [7, -1, 9, 1], [-1, 7, 1, 9]],
  bars: [[2, 0, 2, 8], [6, 0, 6, 8]],
  cross: [[-1, 9, 9, -1], [-1, -1, 9, 9]],
  dots: [[1, 2, 3, 2], [5, 6, 7, 6]],
};

const made = new Map<string, CanvasPattern | null>();

/** A tile of a pattern, see-through. */
function tileOf(pattern: Exclude<Pattern, "">, ratio: number): CanvasRenderingContext2D | null {
  const tile = document.createElement("canvas");
  tile.width = tile.height = Math.round(SIZE * ratio);
  const pen = tile.getContext("2d");
  if (!pen) return null;
  pen.scale(tile.width / SIZE, tile.height / SIZE);
  pen.strokeStyle = "rgba(0, 0, 0, 0.24)";
  pen.lineWidth = pattern === "dots" ? 2 : 1.4;
  for (const [x0, y0, x1, y1] of STROKES[pattern]) {
    pen.beginPath();
    pen.moveTo(x0, y0);
    pen.lineTo(x1, y1);
    pen.stroke();
  }
  return pen;
}

/** A see-through pattern to be laid over a colour; the same object each time. */
export function patternFill(context: CanvasRenderingContext2D, pattern: Exclude<Pattern, "">): CanvasPattern | null {
  const known = made.get(pattern);
  if (known !== undefined) return known;
  const tile = tileOf(pattern, 1);
  if (!tile) return null;
  const fill = context.createPattern(tile.canvas, "repeat");
  made.set(pattern, fill);
  return fill;
}

/** How much of a colour a pattern leaves at each pixel of a square, in 256ths; the square repeats. */
export type Mask = { size: number; kept: Uint16Array };

const masks = new Map<string, Mask | null>();

/** A pattern to be laid over pixels, so many a px. */
export function patternMask(pattern: Exclude<Pattern, "">, ratio: number): Mask | null {
  const key = `${pattern} ${ratio}`;
  const known = masks.get(key);
  if (known !== undefined) return known;
  const size = Math.round(SIZE * ratio);
  const pixels = tileOf(pattern, ratio)?.getImageData(0, 0, size, size)?.data;
  const mask = pixels ? { size, kept: Uint16Array.from({ length: size * size }, (_, at) => 256 - Math.round((pixels[4 * at + 3] * 256) / 255)) } : null;
  masks.set(key, mask);
  return mask;
}
