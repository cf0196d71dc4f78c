// What the timeline will show first, told from the window alone: the page need not be laid out for it.

import * as store from "../frame/store";
import { theme } from "../frame/theme";
import { readInks } from "./inks";
import type { Sight } from "./tile_wants";
import { wordOf } from "./value_strip";

const ABOVE = 150; // px at least that stand above the lanes
const PANEL = 392; // as the style sheet has it
const PANEL_FROM = 900;

function headsNow(): number {
  return store.heads.value || parseFloat(getComputedStyle(document.documentElement).getPropertyValue("--heads")) || 0;
}

/** What is not as told is asked for again when it is seen; null: the timeline is not what is shown. */
export function firstSight(): Sight | null {
  const meta = store.meta.value;
  const progress = store.progress.value;
  if (!meta || !progress || store.isProfile.value || store.page.value !== "timeline") return null;
  const panel = store.panel.value && window.innerWidth > PANEL_FROM ? PANEL : 0;
  const items = store.layout.value.between(0, window.innerHeight - ABOVE);
  return {
    view: store.view.value,
    devicePixels: Math.max(1, window.innerWidth - headsNow() - panel) * (window.devicePixelRatio || 1),
    span: store.span.value,
    rows: items.flatMap((item) => item.rows),
    always: store.pauseRows.value,
    theme: theme.value,
    ground: wordOf(readInks(document.documentElement, theme.value).back),
    revision: progress.revision + progress.covered_ns,
    key: meta.trace.key,
  };
}
