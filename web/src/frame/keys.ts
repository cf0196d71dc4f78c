// The table of keys: what the overlay lists is what they do.

import { pan, spanOf, zoom } from "../timeline/viewport";
import { goThrough, pushAddress } from "./address";
import { toggleFollow } from "./live";
import * as act from "./actions";
import * as store from "./store";
import { nextHit } from "./search";

export type Key = { keys: string[]; shown: string; does: string; run: (event: KeyboardEvent) => void; pages?: string };

const STEP = 0.15;
const CLOSER = 0.7;

function move(share: number): void {
  act.stopGliding();
  store.setView(pan(store.view.value, spanOf(store.view.value) * share, store.span.value));
}

function scale(factor: number): void {
  act.stopGliding();
  const view = store.view.value;
  store.setView(zoom(view, (view.start + view.end) / 2, factor, store.span.value));
}

function scroll(by: number): void {
  document.querySelector(".scroller")?.scrollBy({ top: by });
}

/** To the search field at once, where there is one: what is typed next belongs into it. */
function openSearch(): void {
  const field = () => document.querySelector<HTMLInputElement>("#search-input");
  store.panel.value = "search";
  store.page.value = "timeline";
  if (field()) field()?.select();
  else window.setTimeout(() => field()?.select(), 30);
}

export const KEYS: Key[] = [
  { keys: ["a", "ArrowLeft"], shown: "A  ←", does: "earlier", run: () => move(-STEP) },
  { keys: ["d", "ArrowRight"], shown: "D  →", does: "later", run: () => move(STEP) },
  { keys: ["w", "+", "="], shown: "W  +", does: "closer", run: () => scale(CLOSER) },
  { keys: ["s", "-"], shown: "S  −", does: "farther", run: () => scale(1 / CLOSER) },
  { keys: ["ArrowUp"], shown: "↑", does: "scroll up", run: () => scroll(-60) },
  { keys: ["ArrowDown"], shown: "↓", does: "scroll down", run: () => scroll(60) },
  { keys: ["ShiftArrowUp"], shown: "Shift+↑", does: "select in the row above", run: () => act.selectBeside(-1) },
  { keys: ["ShiftArrowDown"], shown: "Shift+↓", does: "select in the row below", run: () => act.selectBeside(1) },
  { keys: ["0"], shown: "0", does: "the whole trace", run: () => { pushAddress(); act.glide({ start: 0, end: store.span.value }); } },
  { keys: ["f"], shown: "F", does: "zoom to the selection or the range", run: act.zoomToSelection },
  { keys: ["l"], shown: "L", does: "live: go to the end and follow, or no longer", run: toggleFollow },
  { keys: ["g"], shown: "G", does: "go to a time", run: () => { store.dialog.value = "goto"; } },
  { keys: ["/"], shown: "/", does: "search", run: openSearch, pages: "all" },
  { keys: ["Enter", "n"], shown: "Enter  N", does: "next hit", run: (event) => nextHit(event.shiftKey ? -1 : 1) },
  { keys: ["N"], shown: "Shift+Enter", does: "previous hit", run: () => nextHit(-1) },
  { keys: ["."], shown: ".", does: "next slice of this name", run: () => act.step(1) },
  { keys: [","], shown: ",", does: "previous slice of this name", run: () => act.step(-1) },
  { keys: ["]"], shown: "]", does: "follow the flow: whom this woke", run: () => act.follow(1) },
  { keys: ["["], shown: "[", does: "follow the flow back: who ended this", run: () => act.follow(-1) },
  { keys: ["m"], shown: "M", does: "set a bookmark in the middle of the view", run: () => { store.dialog.value = "note"; } },
  { keys: ["o"], shown: "O", does: "draw all flows in view", run: () => { store.showFlows.value = !store.showFlows.value; } },
  { keys: ["p"], shown: "P", does: "pin the lane of the selection, or no longer", run: act.pinSelected },
  { keys: ["h"], shown: "H", does: "hide the lane of the selection", run: act.hideSelected },
  { keys: ["c"], shown: "C", does: "times relative or by the clock", run: () => { store.clock.value = store.clock.value === "wall" ? "relative" : "wall"; act.keepSettings(); } },
  { keys: ["Escape"], shown: "Esc", does: "close, clear the selection", run: act.escape, pages: "all" },
  { keys: ["?"], shown: "?", does: "these keys", run: () => { store.dialog.value = "keys"; }, pages: "all" },
];

const ARROWS_OF_OTHERS = "[role=tab], [role=slider], [role=separator], [role=listbox], select, table";

function isTyping(target: Element): boolean {
  return target.matches("input:not([type=checkbox]):not([type=radio]), textarea, select, [contenteditable]");
}

export function onKey(event: KeyboardEvent): void {
  const target = event.target instanceof Element ? event.target : document.body;
  if (event.altKey && (event.key === "ArrowLeft" || event.key === "ArrowRight")) {
    event.preventDefault();
    goThrough(event.key === "ArrowLeft" ? -1 : 1);
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (isTyping(target) && event.key !== "Escape") return;
  if (store.dialog.value && event.key !== "Escape") return;
  if (event.key.startsWith("Arrow") && target.closest(ARROWS_OF_OTHERS)) return;
  if (event.key === "Enter" && target.closest("button, a, [role=button], tr, input")) return;
  const pressed = event.shiftKey && event.key.startsWith("Arrow") ? `Shift${event.key}` : event.key;
  const key = KEYS.find((each) => each.keys.includes(pressed) || (event.key.length === 1 && !event.shiftKey && each.keys.includes(event.key.toLowerCase())));
  if (!key || (key.pages !== "all" && store.page.value !== "timeline")) return;
  event.preventDefault();
  key.run(event);
}
