// Draws what moves with the pointer and the selection: over the lanes, on a canvas of its own.

import type { Flow } from "../api/answers";
import type { Inks } from "./inks";
import { duration } from "./time";
import { toX, type View } from "./viewport";

export type Box = { start: number; end: number; y: number; h: number };
export type Arrow = { fromNs: number; fromY: number; toNs: number; toY: number; kind: Flow["kind"]; direct: boolean };
export type OverlayPicture = {
  view: View;
  width: number;
  height: number;
  ratio: number;
  hover: Box | null;
  selected: Box | null;
  hits: Box[];
  range: { start: number; end: number } | null;
  cursor: number | null; // px: where the pointer is
  arrows: Arrow[];
  notes: readonly { ns: number; text: string }[];
};

/** Whether there is nothing on it but the pointer's line: it looks the same then wherever the view goes. */
export function isBare(picture: OverlayPicture): boolean {
  const { hover, selected, hits, range, arrows, notes } = picture;
  return !hover && !selected && !hits.length && !range && !arrows.length && !notes.length;
}

export function drawOverlay(pen: CanvasRenderingContext2D, picture: OverlayPicture, inks: Inks): void {
  const { width, height, ratio } = picture;
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  pen.font = inks.font;
  pen.textBaseline = "middle";
  for (const note of picture.notes) drawNote(pen, picture, inks, note);
  for (const hit of picture.hits) drawHit(pen, picture, inks, hit);
  if (picture.range) drawRange(pen, picture, inks, picture.range);
  if (picture.hover) outline(pen, picture, picture.hover, inks.text, 1, false);
  if (picture.selected) outline(pen, picture, picture.selected, inks.text, 2, true);
  for (const arrow of picture.arrows) drawArrow(pen, picture, inks, arrow);
  if (picture.cursor !== null) {
    pen.fillStyle = inks.dim;
    pen.globalAlpha = 0.5;
    pen.fillRect(Math.round(picture.cursor), 0, 1, height);
    pen.globalAlpha = 1;
  }
}

function outline(pen: CanvasRenderingContext2D, picture: OverlayPicture, box: Box, ink: string, line: number, glow: boolean): void {
  const x0 = Math.max(-4, toX(picture.view, picture.width, box.start));
  // What is selected can be found, however short it is.
  const x1 = Math.min(picture.width + 4, Math.max(x0 + (glow ? 6 : 2), toX(picture.view, picture.width, box.end)));
  if (x1 < 0 || x0 > picture.width || box.y + box.h < 0 || box.y > picture.height) return;
  if (glow) {
    pen.strokeStyle = "rgb(255 255 255 / 0.85)";
    pen.lineWidth = line + 2.5;
    pen.strokeRect(x0, box.y, x1 - x0, box.h);
  }
  pen.strokeStyle = ink;
  pen.lineWidth = line;
  pen.strokeRect(x0, box.y, x1 - x0, box.h);
}

const OUTLINED_PX = 6;

/** A hit is outlined where there is room, else underlined: thousands of boxes would hide what they mark. */
function drawHit(pen: CanvasRenderingContext2D, picture: OverlayPicture, inks: Inks, hit: Box): void {
  const x0 = toX(picture.view, picture.width, hit.start);
  const x1 = toX(picture.view, picture.width, hit.end);
  if (x1 - x0 >= OUTLINED_PX) {
    outline(pen, picture, hit, inks.hit, 2, false);
  } else if (x1 >= 0 && x0 <= picture.width && hit.y + hit.h >= 0 && hit.y <= picture.height) {
    pen.fillStyle = inks.hit;
    pen.fillRect(x0 - 0.5, hit.y + hit.h - 2, Math.max(2, x1 - x0), 3);
  }
}

function drawRange(pen: CanvasRenderingContext2D, picture: OverlayPicture, inks: Inks, range: { start: number; end: number }): void {
  const x0 = toX(picture.view, picture.width, range.start);
  const x1 = toX(picture.view, picture.width, range.end);
  pen.fillStyle = inks.accentFill;
  pen.fillRect(x0, 0, x1 - x0, picture.height);
  pen.fillStyle = inks.accent;
  pen.fillRect(x0 - 0.5, 0, 1, picture.height);
  pen.fillRect(x1 - 0.5, 0, 1, picture.height);
  const text = duration(range.end - range.start);
  const width = pen.measureText(text).width + 12;
  const middle = Math.min(Math.max((x0 + x1) / 2, width / 2 + 2), picture.width - width / 2 - 2);
  pen.fillRect(middle - width / 2, 3, width, 18);
  pen.fillStyle = inks.back;
  pen.fillText(text, middle - width / 2 + 6, 12.5);
}

function drawNote(pen: CanvasRenderingContext2D, picture: OverlayPicture, inks: Inks, note: { ns: number; text: string }): void {
  const x = Math.round(toX(picture.view, picture.width, note.ns));
  if (x < -1 || x > picture.width) return;
  pen.fillStyle = inks.accent;
  pen.fillRect(x, 0, 1, picture.height);
  pen.beginPath();
  pen.moveTo(x + 0.5, 0);
  pen.lineTo(x + 9, 5);
  pen.lineTo(x + 0.5, 10);
  pen.fill();
  if (note.text) pen.fillText(note.text.slice(0, 40), x + 12, 7);
}

const DASHES: Record<Flow["kind"], number[]> = { wake: [], create: [6, 3], join: [2, 3] };

function drawArrow(pen: CanvasRenderingContext2D, picture: OverlayPicture, inks: Inks, arrow: Arrow): void {
  const x0 = toX(picture.view, picture.width, arrow.fromNs);
  const x1 = toX(picture.view, picture.width, arrow.toNs);
  if (Math.max(x0, x1) < -20 || Math.min(x0, x1) > picture.width + 20) return;
  const { fromY: y0, toY: y1 } = arrow;
  const bend = Math.max(14, Math.min(60, Math.abs(x1 - x0) / 2));
  const tip = y1 > y0 ? y1 - 1 : y1 + 1;
  const path = () => {
    pen.beginPath();
    pen.moveTo(x0, y0);
    pen.bezierCurveTo(x0 + bend, y0, x1 - bend, tip, x1, tip);
    pen.stroke();
  };
  pen.globalAlpha = arrow.direct ? 1 : 0.55;
  pen.setLineDash([]);
  pen.strokeStyle = inks.back;
  pen.lineWidth = arrow.direct ? 4.5 : 3;
  path();
  pen.setLineDash(DASHES[arrow.kind] ?? []);
  pen.strokeStyle = pen.fillStyle = arrow.direct ? inks.text : inks.dim;
  pen.lineWidth = arrow.direct ? 1.8 : 1.1;
  path();
  pen.setLineDash([]);
  pen.beginPath();
  pen.moveTo(x1 + 1, tip);
  pen.lineTo(x1 - 7, tip - 4);
  pen.lineTo(x1 - 7, tip + 4);
  pen.fill();
  pen.beginPath();
  pen.arc(x0, y0, 2.5, 0, 7);
  pen.fill();
  pen.globalAlpha = 1;
}
