// A row of the lanes as pixels, put onto the canvas at once: without a GPU, as images that a canvas scales and lays one over the other, rows
// take twice as long.  One row at a time, which stays near the processor.

import type { Mask } from "./inks";
import { BANDS } from "./strip";
import { STEPS } from "./tile";
import type { Tile } from "./tile_cache";

/** Where a strip goes, in device pixels, and which part of it: in steps. */
export type Place = { x0: number; x1: number; from: number; to: number };

const KEPT = 8; // as many tiles lie side by side in a row, with those that stand in for others

type Stretch = Place & { steps: Uint16Array };

export class RowPixels {
  readonly words: Uint32Array;
  private readonly stretches: Stretch[] = []; // of late: most rows have the same

  constructor(readonly image: ImageData) {
    this.words = new Uint32Array(image.data.buffer);
  }

  /** Which step each pixel shows that is in the place. */
  private stepsOf(place: Place): Uint16Array {
    for (const each of this.stretches) if (each.x0 === place.x0 && each.x1 === place.x1 && each.from === place.from && each.to === place.to) return each.steps;
    const oldest = this.stretches.length === KEPT ? this.stretches.shift() : undefined;
    const steps = oldest?.steps ?? new Uint16Array(this.image.width);
    const { x0, x1, from, to } = place;
    const by = (to - from) / (x1 - x0);
    const end = Math.min(this.image.width, x1);
    for (let x = Math.max(0, x0); x < end; x++) steps[x] = Math.min(STEPS - 1, from + (x - x0 + 0.5) * by);
    this.stretches.push({ x0, x1, from, to, steps });
    return steps;
  }

  /** Stretches the strip of a tile to its place, as far as that is in the picture. */
  strip({ sheet, line, even }: Tile, place: Place): void {
    const { words } = this;
    const { width, height } = this.image;
    const steps = this.stepsOf(place);
    const x0 = Math.max(0, place.x0);
    const x1 = Math.min(width, place.x1);
    let above = -1; // the band of the line above
    for (let y = 0; y < height; y++) {
      const at = y * width;
      const band = even ? 0 : Math.floor(((y + 0.5) * BANDS) / height);
      if (band === above) {
        words.copyWithin(at + x0, at - width + x0, at - width + x1);
      } else {
        const source = (line + band) * STEPS;
        for (let x = x0; x < x1; x++) words[at + x] = sheet[source + steps[x]];
      }
      above = band;
    }
  }

  /** Darkens pixels [x0, x1) of the lines from `line` on by a pattern; `top`: where the row is on the canvas, over which patterns go on. */
  hatch({ size, kept }: Mask, x0: number, x1: number, line: number, top: number): void {
    const { words } = this;
    const { width, height } = this.image;
    for (let y = line; y < height; y++) {
      const row = ((((top + y) % size) + size) % size) * size;
      for (let x = x0, step = x0 % size; x < x1; x++) {
        const part = kept[row + step];
        if (++step === size) step = 0;
        if (part === 256) continue;
        const word = words[y * width + x];
        words[y * width + x] = (word & 0xff000000) | ((((word & 0xff00ff) * part) >>> 8) & 0xff00ff) | ((((word & 0xff00) * part) >>> 8) & 0xff00);
      }
    }
  }
}

const kept = new Map<number, RowPixels>(); // by height

/** Pixels for a row as high as that; what another of that height had is still in them. */
export function rowPixels(pen: CanvasRenderingContext2D, width: number, height: number): RowPixels {
  let pixels = kept.get(height);
  if (pixels?.image.width === width) return pixels;
  if (kept.get(height) === undefined && kept.size >= KEPT) kept.clear();
  pixels = new RowPixels(pen.createImageData(width, height));
  kept.set(height, pixels);
  return pixels;
}
