// The page's address carries the view, the range, the selection and the filters; going back goes through them.

import { batch, effect } from "@preact/signals-core";
import { readAddress, writeAddress, type Address } from "./address_text";
import * as store from "./store";

const SETTLED_MS = 300;
let timer = 0;
let applying = false;

function now(): Address {
  const view = store.view.value;
  const whole = view.start <= 0 && view.end >= store.span.value;
  return {
    page: store.page.value,
    view: whole ? null : view,
    range: store.range.value,
    slice: store.selection.value && store.toLink(store.selection.value),
    filter: store.filter.value,
    query: store.query.value,
    pinned: [...store.pinned.value],
    hidden: [...store.hidden.value],
    open: [...store.opened.value],
  };
}

function written(): string {
  return window.location.pathname + window.location.search + writeAddress(now());
}

/** Marks a place to come back to with Alt+Left: what follows gets an entry of its own. */
export function pushAddress(): void {
  window.clearTimeout(timer);
  const here = written();
  window.history.replaceState(null, "", here);
  window.history.pushState(null, "", here);
}

/** Goes through what was pushed; where one is now is written down first, or one could not come back to it. */
export function goThrough(way: -1 | 1): void {
  window.clearTimeout(timer);
  window.history.replaceState(null, "", written());
  window.history.go(way);
}

type Selecting = (ref: Address["slice"]) => void;

function apply(select: Selecting): void {
  const to = readAddress(window.location.hash);
  applying = true;
  batch(() => {
    if (to.page) store.page.value = to.page;
    store.setView(to.view ?? { start: 0, end: store.span.value });
    store.range.value = to.range;
    store.filter.value = to.filter;
    store.query.value = to.query;
    store.pinned.value = new Set(to.pinned);
    store.hidden.value = new Set(to.hidden);
    store.opened.value = new Map(to.open);
    if (to.range && !to.slice) store.panel.value = "range";
  });
  const before = store.selection.value;
  const slice = to.slice && store.fromLink(to.slice);
  if (slice?.row !== before?.row || slice?.slice !== before?.slice) select(slice);
  applying = false;
}

/** Takes what the address says now and when it changes, and keeps the address true from here on. */
export function followAddress(select: Selecting): void {
  apply(select);
  window.addEventListener("popstate", () => apply(select));
  window.addEventListener("hashchange", () => apply(select));
  effect(() => {
    now();
    if (applying) return;
    window.clearTimeout(timer);
    timer = window.setTimeout(() => window.history.replaceState(null, "", written()), SETTLED_MS);
  });
}
