// What the timeline will show first, told from the window alone: the page need not be laid out for it.

import * as store from "../frame/store";
import { theme } from "../frame/theme";
import { readInks } from "./inks";
import type { Item } from "./lanes";
import type { Sight } from "./tile_wants";
import { wordOf } from "./value_strip";

export const ABOVE = 153; // px that stand above the lanes, as the style sheet has it, or more
const PANEL = 392; // so does this
const PANEL_FROM = 900;

/** How wide the lanes' titles are. */
export function headsNow(): number {
  return store.heads.value || parseFloat(getComputedStyle(document.documentElement).getPropertyValue("--heads")) || 0;
}

export function widthNow(): number {
  const panel = store.panel.value && window.innerWidth > PANEL_FROM ? PANEL : 0;
  return Math.max(1, window.innerWidth - headsNow() - panel);
}

export function itemsNow(): Item[] {
  return store.layout.value.between(0, window.innerHeight - ABOVE);
}

/** What is not as told is asked for again when it is seen; null: the timeline is not what is shown. */
export function firstSight(): Sight | null {
  const meta = store.meta.value;
  const progress = store.progress.value;
  if (!meta || !progress || store.isProfile.value || store.page.value !== "timeline") return null;
  return {
    view: store.view.value,
    devicePixels: widthNow() * (window.devicePixelRatio || 1),
    span: store.span.value,
    rows: itemsNow().flatMap((item) => item.rows),
    always: store.pauseRows.value,
    theme: theme.value,
    ground: wordOf(readInks(document.documentElement, theme.value).back),
    revision: progress.revision + progress.covered_ns,
    key: meta.trace.key,
  };
}
