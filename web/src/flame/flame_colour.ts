// Colours of a flame graph: a hue a module, a lightness a function; in a difference blue is less and vermillion more.

import { oklch, textSeed, type Rgb } from "../timeline/colours";
import type { Frame } from "../api/answers";

const known = new Map<string, Rgb>();

export function frameColour(frame: Frame | undefined): Rgb {
  if (!frame) return [201, 206, 212];
  const key = `${frame.module}\n${frame.function}`;
  let rgb = known.get(key);
  if (!rgb) {
    const hue = (textSeed(frame.module || frame.file) * 137.508 + 30) % 360;
    const seed = textSeed(frame.function);
    rgb = oklch(0.74 + (seed % 9) * 0.0125, 0.085, (hue + (seed % 7) * 4) % 360);
    known.set(key, rgb);
  }
  return rgb;
}

/** `change` from -1 (all gone) over 0 to 1 (all new). */
export function diffColour(change: number): Rgb {
  const size = Math.min(1, Math.abs(change));
  if (size < 0.005) return [214, 216, 219];
  return change > 0 ? oklch(0.87 - 0.13 * size, 0.03 + 0.12 * size, 48) : oklch(0.87 - 0.13 * size, 0.03 + 0.1 * size, 240);
}
