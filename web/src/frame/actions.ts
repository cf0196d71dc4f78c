// What a person can do to the page, whatever they do it with: keys, pointer, links, the address.

import { batch } from "@preact/signals-core";
import type { Flows, Notes, Peer, Settings, Slice, SliceRef } from "../api/answers";
import { getJson, isAbort, putJson, query, wordsOf } from "../api/api";
import { rowList } from "../timeline/tile";
import { duration } from "../timeline/time";
import { around, between, clampView, reveal, type View } from "../timeline/viewport";
import { stageNow } from "../timeline/stage_now";
import { pushAddress } from "./address";
import * as store from "./store";

let asking: AbortController | null = null;
let motion = 0;
const MOTION_MS = 160;

/** Moves the view there: smoothly, unless the person wants less motion. */
export function glide(to: View): void {
  const from = store.view.value;
  const goal = clampView(to, store.span.value);
  stopGliding();
  if (window.matchMedia("(prefers-reduced-motion: reduce)").matches) {
    store.setView(goal);
    return;
  }
  const began = performance.now();
  store.gliding.value = true;
  const step = () => {
    const part = Math.min(1, (performance.now() - began) / MOTION_MS);
    store.setView(between(from, goal, 1 - (1 - part) ** 3));
    if (part < 1) motion = requestAnimationFrame(step);
    else store.gliding.value = false;
  };
  step();
}

export function stopGliding(): void {
  cancelAnimationFrame(motion);
  store.gliding.value = false;
}

export function say(text: string): void {
  store.spoken.value = text;
}

/** Shows a slice's details; `show` also moves the view and opens folds until it is seen. */
export async function select(ref: SliceRef | null, show = false, lane?: number): Promise<void> {
  asking?.abort();
  if (!ref) {
    batch(() => {
      store.selection.value = null;
      store.slice.value = null;
      if (store.panel.value === "details") store.panel.value = "";
    });
    return;
  }
  asking = new AbortController();
  batch(() => {
    store.selection.value = ref;
    store.sliceError.value = "";
    store.panel.value = "details";
    if (show) store.page.value = "timeline";
    if (show && lane !== undefined) store.unfold(lane);
  });
  try {
    const slice = await getJson<Slice>(`/api/slice${query({ row: ref.row, slice: ref.slice })}`, asking.signal);
    store.slice.value = slice;
    if (show) showSlice(slice);
    say(`${slice.name}, ${duration(slice.dur_ns)}, ${slice.state}, ${store.laneTitle(slice.lane)}`);
  } catch (cause) {
    if (!isAbort(cause)) {
      store.slice.value = null;
      store.sliceError.value = wordsOf(cause);
      say(wordsOf(cause));
    }
  }
}

function showSlice(slice: Slice): void {
  store.unfold(slice.lane);
  const view = store.view.value;
  const end = slice.start_ns + slice.dur_ns;
  pushAddress();
  glide(reveal(view, slice.start_ns, end, store.span.value)); // the zoom stays: F goes closer
  scrollTo.value?.(slice.row);
}

/** Set by the timeline: brings a row into sight. */
export const scrollTo: { value: ((row: number) => void) | null } = { value: null };

/** The slice in the row below (1) or above (-1): how one gets about without a pointer. */
export function selectBeside(way: 1 | -1): void {
  const ref = stageNow.value?.beside(way);
  if (ref) void select(ref).then(() => scrollTo.value?.(ref.row));
  else say("No slice there in view.");
}

/** The next (1) or previous (-1) slice of the same name in the same row; the first in sight when none is selected. */
export function step(way: 1 | -1): void {
  const slice = store.slice.value;
  if (!slice) selectBeside(1);
  const to = way > 0 ? slice?.next : slice?.previous;
  if (to) void select(to, true);
  else if (slice) say(way > 0 ? "No later one of this name." : "No earlier one of this name.");
}

/** To where a peer was: its slice, or its place in time where it was in none. */
export function jump(peer: Peer): void {
  if (peer.row !== null && peer.slice !== null) {
    void select({ row: peer.row, slice: peer.slice }, true, peer.lane);
    return;
  }
  store.unfold(peer.lane);
  goTo(peer.ns);
  const row = store.laneById.value.get(peer.lane)?.rows[0];
  if (row) scrollTo.value?.(row.id);
  say(`${store.laneTitle(peer.lane)}, in no slice`);
}

/** Along the flow: 1 to the first slice that this one woke, -1 to the one that ended it. */
export function follow(way: 1 | -1): void {
  const slice = store.slice.value;
  const peer = way > 0 ? slice?.woken[0] : slice?.waker;
  if (peer) jump(peer);
  else if (slice) say(way > 0 ? "This wakes nobody." : "Nobody is known to have ended this.");
}

export function zoomToSelection(): void {
  const range = store.range.value;
  const slice = store.slice.value;
  pushAddress();
  if (range) glide(around(range.start, range.end, store.span.value, 0.02));
  else if (slice) glide(around(slice.start_ns, slice.start_ns + slice.dur_ns, store.span.value));
}

export function showRange(start: number, end: number): void {
  batch(() => {
    store.range.value = { start: Math.max(0, Math.min(start, end)), end: Math.min(store.span.value, Math.max(start, end)) };
    store.panel.value = "range";
  });
}

export function goTo(ns: number): void {
  const view = store.view.value;
  const half = (view.end - view.start) / 2;
  pushAddress();
  glide({ start: ns - half, end: ns + half });
}

export function escape(): void {
  batch(() => {
    if (store.dialog.value) store.dialog.value = "";
    else if (store.panel.value === "details") void select(null);
    else if (store.range.value) {
      store.range.value = null;
      store.panel.value = "";
    } else store.panel.value = "";
  });
}

export function pinSelected(): void {
  const lane = store.slice.value?.lane;
  if (lane === undefined) {
    say("Nothing is selected.");
    return;
  }
  store.pinned.value = store.toggled(store.pinned.value, store.keyOf(lane));
  say(`${store.laneTitle(lane)} ${store.pinned.value.has(store.keyOf(lane)) ? "pinned" : "no longer pinned"}`);
}

export function hideSelected(): void {
  const lane = store.slice.value?.lane;
  if (lane === undefined) {
    say("Nothing is selected.");
    return;
  }
  void select(null);
  hide(lane);
}

export function hide(lane: number): void {
  store.hidden.value = store.toggled(store.hidden.value, store.keyOf(lane));
  say(`${store.laneTitle(lane)} hidden. Show hidden in the toolbar brings it back.`);
}

export function addNote(ns: number, text: string): void {
  keepNotes([...store.notes.value, { ns: Math.round(ns), text }].sort((a, b) => a.ns - b.ns));
}

export function removeNote(at: number): void {
  keepNotes(store.notes.value.filter((_, index) => index !== at));
}

/** Who sees it on the page takes it for kept: when it is not, that is to be seen, too. */
function keep(path: string, what: Notes | Settings, word: string): void {
  putJson(path, what).then(
    () => {
      store.unkept.value = "";
    },
    (cause: unknown) => {
      store.unkept.value = `The ${word} is not kept: ${wordsOf(cause)}`;
    },
  );
}

function keepNotes(notes: Notes["notes"]): void {
  store.notes.value = notes;
  keep("/api/notes", { notes } satisfies Notes, "bookmark");
}

export function keepSettings(): void {
  const settings: Settings = { theme: store.themeChoice.value, clock: store.clock.value, heads: store.heads.value || undefined };
  keep("/api/settings", settings, "setting");
}

let askingFlows: AbortController | null = null;

/** Fetches the flows of what is in view, when all of them are shown. */
export async function loadFlows(lanes: readonly number[]): Promise<void> {
  askingFlows?.abort();
  if (!store.showFlows.value) {
    store.flows.value = [];
    return;
  }
  askingFlows = new AbortController();
  const { start, end } = store.view.value;
  const ask = { from: Math.floor(start), to: Math.ceil(end), lanes: rowList([...lanes]), limit: 200 };
  try {
    store.flows.value = (await getJson<Flows>(`/api/flows${query(ask)}`, askingFlows.signal)).flows;
  } catch (cause) {
    if (!isAbort(cause)) say(wordsOf(cause));
  }
}
