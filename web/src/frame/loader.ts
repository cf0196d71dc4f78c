// Loads what the server knows, and again while it is still indexing; says in a sentence what stands in the way.

import { batch } from "@preact/signals-core";
import type { Lanes, Meta, Notes, Overview, Progress, Settings, Start } from "../api/answers";
import { ApiError, apiListen, getJson, wordsOf } from "../api/api";
import { takeBegun, type Begun } from "./begun";
import { namesTake, namesUpdate } from "./names";
import { grown } from "../timeline/live";
import { clock, follows, heads, HEADS_LEAST, HEADS_MOST, lanes, live, meta, notes, overview, progress, span, themeChoice, trouble, unkept, view } from "./store";

const BUILDING_MS = 400;
const LIVE_MS = 1000;
const READY_MS = 4000;
const GONE_MS = 2000;
const LATER_MS = 300;
const PART = 0.1; // of the trace: when so much more is indexed, counts and the minimap are asked for again

let loaded = -1; // the revision that lanes and meta are of,
let loadedPart = 0; // and as much of the trace
let timer = 0;
let later = 0;
let fitted = false;
let begun: Begun | null = null;
const afterwards: (() => void)[] = [];

/** Calls back once the trace's lanes are known: the address may name a view of it. */
export function onLoaded(then: () => void): void {
  afterwards.push(then);
}

function heard(error: ApiError | null): void {
  if (!error) {
    if (trouble.value && trouble.value.kind !== "other") {
      trouble.value = null;
      again(0);
    }
  } else if (error.status === 0) {
    const first = trouble.value?.kind !== "gone";
    trouble.value = {
      kind: "gone",
      text: "ctrace view no longer answers. Start it again in the terminal; this page goes on by itself when it is back.",
    };
    if (first) again(GONE_MS);
  } else if (error.status === 401 || error.status === 403) {
    trouble.value = {
      kind: "token",
      text: "The token in this page's address is missing or not the server's. Open the address that ctrace view printed, all of it.",
    };
  }
}

function again(ms: number): void {
  window.clearTimeout(timer);
  timer = window.setTimeout(() => void poll(), ms);
}

/** Looks at once whether the server is still there: something of it did not come. */
export function checkServer(): void {
  if (!trouble.value) again(0);
}

async function loadTrace(): Promise<void> {
  const before = meta.value;
  const fresh = await getJson<Meta>("/api/meta");
  if (before && before.trace.key !== fresh.trace.key) {
    window.location.reload(); // another trace under the same address
    return;
  }
  const isTrace = fresh.kind !== "profile";
  const [list] = isTrace ? await Promise.all([getJson<Lanes>("/api/lanes"), namesUpdate()]) : [{ revision: 0, lanes: [] }];
  take(fresh, list);
}

/** The first time all is on the page, or comes in one answer, which was asked for before this script was here. */
async function loadFirst(): Promise<Progress> {
  const early = window.ctraceEarly;
  window.ctraceEarly = undefined;
  const first = begun?.start ?? (await getJson<Start>("/api/start", undefined, early));
  begun = null;
  progress.value = first.meta.index;
  namesTake(first.names);
  take(first.meta, first.lanes);
  return first.meta.index;
}

function take(fresh: Meta, list: Lanes): void {
  const before = span.value;
  batch(() => {
    meta.value = fresh;
    lanes.value = list.lanes;
    if (!fitted) view.value = { start: 0, end: Math.max(1, fresh.span_ns) };
    else view.value = grown(view.value, before, fresh.span_ns, follows.value);
  });
  loaded = fresh.revision;
  loadedPart = fresh.index.part;
  const first = !fitted;
  if (first) {
    fitted = true;
    for (const then of afterwards) then();
  }
  if (trouble.value?.kind === "other") trouble.value = null;
  window.clearTimeout(later);
  if (fresh.kind !== "profile") later = window.setTimeout(() => void loadOverview(), first ? LATER_MS : 0);
}

/** For the minimap only: what the first picture needs goes before it. */
export function overviewNow(): void {
  if (!later || overview.value) return;
  window.clearTimeout(later);
  void loadOverview();
}

async function loadOverview(): Promise<void> {
  overview.value = await getJson<Overview>("/api/overview").catch(() => null);
}

async function update(): Promise<Progress> {
  if (!meta.value) {
    try {
      return await loadFirst();
    } catch (cause) {
      if (!(cause instanceof ApiError) || cause.status < 500) throw cause; // else it is only being opened, or it cannot be
    }
  }
  const now = await getJson<Progress>("/api/progress");
  const grows = live.value;
  const ended = progress.value?.state === "building" && now.state !== "building";
  const more = ended || now.part >= loadedPart + PART || (grows && now.covered_ns !== progress.value?.covered_ns);
  progress.value = now;
  if (now.revision !== loaded || more || !meta.value || grows !== live.value) await loadTrace();
  return now;
}

async function poll(): Promise<void> {
  let wait = GONE_MS;
  try {
    const now = await update();
    wait = now.state !== "building" ? READY_MS : live.value ? LIVE_MS : BUILDING_MS;
  } catch (cause) {
    // A missing answer or a wrong token has said so already.
    if (!trouble.value) trouble.value = { kind: "other", text: wordsOf(cause) };
    if (trouble.value.kind === "token") return;
  }
  again(wait);
}

function takeSettings(kept: Settings): void {
  batch(() => {
    if (kept.theme === "light" || kept.theme === "dark" || kept.theme === "system") themeChoice.value = kept.theme;
    if (kept.clock === "wall" || kept.clock === "relative") clock.value = kept.clock;
    if (typeof kept.heads === "number" && kept.heads >= HEADS_LEAST && kept.heads <= HEADS_MOST) heads.value = kept.heads;
  });
}

async function loadKept(known: boolean): Promise<void> {
  if (!known) await getJson<Settings>("/api/settings").then(takeSettings, () => undefined); // a trace can be looked at without
  try {
    const written = await getJson<Notes>("/api/notes");
    if (Array.isArray(written.notes)) notes.value = written.notes;
  } catch (cause) {
    if (cause instanceof ApiError && cause.status > 0 && !trouble.value) unkept.value = `There are no bookmarks: ${wordsOf(cause)}`;
  }
}

/** Is done when there is something to show, or a reason why not. */
export async function load(): Promise<void> {
  apiListen(heard);
  begun = takeBegun();
  if (begun) takeSettings(begun.settings);
  const known = begun !== null;
  const first = poll();
  if (known) window.setTimeout(() => void loadKept(known), LATER_MS);
  else void loadKept(known);
  await first;
}
