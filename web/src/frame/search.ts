// Searching: one question at a time, its hits walked through one by one.

import type { Hit, Search } from "../api/answers";
import { getJson, isAbort, query as ask, wordsOf } from "../api/api";
import { signal } from "@preact/signals-core";
import { say, select } from "./actions";
import { found, foundAt, query } from "./store";

export const searchError = signal("");
export const searching = signal(false);
/** Of more hits than fit in the table: the first ones, or the longest. */
export const order = signal<"time" | "longest">("time");
const LIMIT = 500;
let controller: AbortController | null = null;
let answered = ""; // what the hits are of

export async function search(text: string): Promise<void> {
  controller?.abort();
  query.value = text;
  foundAt.value = -1;
  searchError.value = "";
  if (!text.trim()) {
    found.value = null;
    searching.value = false;
    return;
  }
  const mine = new AbortController();
  controller = mine;
  searching.value = true;
  try {
    const answer = await getJson<Search>(`/api/search${ask({ q: text, limit: LIMIT, order: order.value === "longest" ? "longest" : null })}`, mine.signal);
    if (controller !== mine) return;
    found.value = answer;
    answered = text;
    say(answer.total === 1 ? "1 hit" : `${answer.total} hits`);
  } catch (cause) {
    if (isAbort(cause)) return;
    found.value = null;
    searchError.value = wordsOf(cause);
  }
  searching.value = false;
}

/** Enter in the search field: asks, or goes on to the next hit when that was asked already. */
export function searchOrNext(): void {
  if (found.value && answered === query.value && !searching.value) nextHit(1);
  else void search(query.value);
}

/** Fetches the hits after the last one that is there. */
export async function moreHits(): Promise<void> {
  const before = found.value;
  const last = before?.hits[before.hits.length - 1];
  if (!before || !last) return;
  const after = `${last.start_ns},${last.row},${last.slice}`;
  try {
    const answer = await getJson<Search>(`/api/search${ask({ q: query.value, limit: LIMIT, after })}`);
    if (found.value === before) found.value = { ...before, hits: [...before.hits, ...answer.hits], more: answer.more };
  } catch (cause) {
    searchError.value = wordsOf(cause);
  }
}

export function showHit(hit: Hit, at: number): void {
  foundAt.value = at;
  void select(hit, true, hit.lane).then(() => say(`Hit ${at + 1} of ${found.value?.total ?? 0}: ${hit.name}`));
}

export function nextHit(way: 1 | -1): void {
  const hits = found.value?.hits ?? [];
  if (!hits.length) return;
  const at = (foundAt.value + way + hits.length) % hits.length;
  showHit(hits[foundAt.value < 0 && way < 0 ? hits.length - 1 : at], foundAt.value < 0 && way < 0 ? hits.length - 1 : at);
}
