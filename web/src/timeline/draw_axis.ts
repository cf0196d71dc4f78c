// Draws the time axis above the lanes and the minimap above it.

import type { Overview } from "../api/answers";
import { colourOf, rgbCss } from "./colours";
import type { Tick } from "./axis";
import type { Inks } from "./inks";
import { toX, type View } from "./viewport";

export function drawAxis(pen: CanvasRenderingContext2D, width: number, height: number, ratio: number, ticks: Tick[], inks: Inks): void {
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.fillStyle = inks.back;
  pen.fillRect(0, 0, width, height);
  pen.font = inks.font;
  pen.textBaseline = "alphabetic";
  let free = 0;
  for (const tick of ticks) {
    pen.fillStyle = tick.major ? inks.dim : inks.line;
    pen.fillRect(Math.round(tick.x), height - (tick.major ? 7 : 4), 1, tick.major ? 7 : 4);
    if (!tick.label) continue;
    const text = pen.measureText(tick.label).width;
    const x = Math.min(Math.max(2, tick.x - text / 2), width - text - 2);
    if (x < free) continue;
    pen.fillStyle = inks.dim;
    pen.fillText(tick.label, x, height - 10);
    free = x + text + 8;
  }
}

export type MinimapPicture = {
  width: number;
  height: number;
  ratio: number;
  view: View;
  span: number;
  minimap: Overview["minimap"] | null;
  hits: readonly number[]; // counts over the whole trace
  notes: readonly { ns: number }[];
  range: { start: number; end: number } | null;
  covered: number;
};

/**
 * What stays while the view moves.  What runs stands on the ground, what waits hangs from the top; hits are ticks at the lower edge.
 */
export function drawMinimapGround(pen: CanvasRenderingContext2D, picture: MinimapPicture, inks: Inks): void {
  const { width, height, ratio, span } = picture;
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.fillStyle = inks.back;
  pen.fillRect(0, 0, width, height);
  const { minimap } = picture;
  if (minimap) {
    const room = height - 6;
    const running = bars(pen, picture, minimap.running, rgbCss(colourOf(1, 0, inks.theme)), room * 0.62, false);
    if (running >= 0) bars(pen, picture, minimap.waiting, rgbCss(colourOf(3, 0, inks.theme)), room * 0.34, true);
    bars(pen, picture, minimap.lost, rgbCss(colourOf(20, 0, inks.theme)), height, false, true);
  }
  marks(pen, picture, picture.hits, inks);
  for (const note of picture.notes) {
    pen.fillStyle = inks.accent;
    pen.fillRect(Math.round((note.ns / span) * width), 0, 1, height);
  }
}

/** The window of the view over the ground, which was drawn in as many device pixels. */
export function drawMinimap(pen: CanvasRenderingContext2D, picture: MinimapPicture, ground: CanvasImageSource, inks: Inks): void {
  const { width, height, ratio } = picture;
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.imageSmoothingEnabled = false;
  pen.drawImage(ground, 0, 0, width, height);
  drawWindow(pen, picture, inks);
}

function bars(pen: CanvasRenderingContext2D, picture: MinimapPicture, bins: number[], ink: string, most: number, hang: boolean, full = false): number {
  const top = bins.reduce((max, bin) => Math.max(max, bin), 0);
  if (!(top > 0)) return 0;
  pen.fillStyle = ink;
  const step = picture.width / bins.length;
  pen.beginPath();
  bins.forEach((bin, at) => {
    if (!(bin > 0)) return;
    const h = full ? most : Math.max(1, (bin / top) * most);
    pen.rect(at * step, hang ? 0 : picture.height - h, step + 0.3, h);
  });
  pen.fill();
  return top;
}

function marks(pen: CanvasRenderingContext2D, picture: MinimapPicture, bins: readonly number[], inks: Inks): void {
  const step = picture.width / Math.max(1, bins.length);
  pen.fillStyle = inks.hit;
  bins.forEach((bin, at) => {
    if (bin > 0) pen.fillRect(at * step, picture.height - 7, Math.max(2, step), 7);
  });
}

function drawWindow(pen: CanvasRenderingContext2D, picture: MinimapPicture, inks: Inks): void {
  const { width, height, span } = picture;
  const whole = { start: 0, end: Math.max(1, span) };
  if (picture.range) {
    const x = toX(whole, width, picture.range.start);
    pen.fillStyle = inks.accentFill;
    pen.fillRect(x, 0, Math.max(1, toX(whole, width, picture.range.end) - x), height);
  }
  const x0 = toX(whole, width, picture.view.start);
  const x1 = Math.max(x0 + 2, toX(whole, width, picture.view.end));
  pen.globalAlpha = 0.62;
  pen.fillStyle = inks.back;
  pen.fillRect(0, 0, x0, height);
  pen.fillRect(x1, 0, width - x1, height);
  pen.globalAlpha = 1;
  pen.strokeStyle = inks.accent;
  pen.lineWidth = 1.5;
  pen.strokeRect(x0 + 0.75, 0.75, Math.max(1, x1 - x0 - 1.5), height - 1.5);
}
