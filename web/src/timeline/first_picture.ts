// The first picture: the lanes alone, where they will be.  To lay out the page around them takes longer than all that comes before.

import * as store from "../frame/store";
import { theme } from "../frame/theme";
import { drawLanes } from "./draw_lanes";
import { ABOVE, headsNow, itemsNow, widthNow } from "./first_sight";
import { readInks } from "./inks";
import { levelFor } from "./tile";
import type { TileCache } from "./tile_cache";

const WIDE = 900; // px: in a narrower window the lanes do not begin there
const UNSEEN_MS = 100; // a page that nobody looks at is not painted

/** Whether nothing stands above the lanes but what always does. */
function isPlain(): boolean {
  const { trace } = store.meta.value ?? {};
  const progress = store.progress.value;
  return window.innerWidth >= WIDE && progress?.state === "ready" && !progress.error && !!trace && !trace.damage && !trace.lost && trace.events > 0;
}

/** A canvas for it, not yet on the page; null: one that is not as told would be painted elsewhere than the lanes then are. */
export function makePicture(): HTMLCanvasElement | null {
  if (!isPlain()) return null;
  const canvas = document.createElement("canvas");
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(widthNow() * ratio);
  canvas.height = Math.round(Math.max(1, window.innerHeight - ABOVE) * ratio);
  canvas.className = "first-picture";
  canvas.setAttribute("aria-hidden", "true");
  Object.assign(canvas.style, { left: `${headsNow()}px`, top: `${ABOVE}px`, width: `${widthNow()}px`, height: `${window.innerHeight - ABOVE}px` });
  return canvas;
}

/** Puts it onto the page; names come with the page: the first text that a browser sets takes it as long as all of this. */
export function showPicture(canvas: HTMLCanvasElement, cache: TileCache): void {
  const pen = canvas.getContext("2d", { alpha: false });
  if (!pen) return;
  const span = store.span.value;
  const ratio = window.devicePixelRatio || 1;
  const [width, height] = [widthNow(), window.innerHeight - ABOVE];
  const view = store.view.value;
  const level = levelFor(view, width * ratio);
  const of = { view, level, span, width, height, ratio, top: 0, items: itemsNow(), covered: span, looked: [], nameOf: () => "", pauses: store.pauseRows.value };
  drawLanes(pen, cache, of, readInks(document.documentElement, theme.value));
  document.body.append(canvas);
}

/** Is done when what the page shows by now has been painted. */
export function painted(): Promise<void> {
  return new Promise((resolve) => {
    const unseen = window.setTimeout(resolve, UNSEEN_MS);
    requestAnimationFrame(() =>
      window.setTimeout(() => {
        window.clearTimeout(unseen);
        resolve();
      }),
    );
  });
}
