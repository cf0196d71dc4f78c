// What the page knows and shows: one signal a noun, read by the pages and the timeline.

import { batch, computed, signal } from "@preact/signals-core";
import type { Flow, Lane, Meta, Note, Overview, Progress, Search, Slice, SliceRef } from "../api/answers";
import { LaneLayout, type LanePrefs } from "../timeline/lanes";
import { placeFlows } from "../timeline/arrows";
import type { Arrow } from "../timeline/draw_overlay";
import { wallClock } from "../timeline/time";
import { clampView, type View } from "../timeline/viewport";

export type Span = { start: number; end: number };

export const meta = signal<Meta | null>(null);
export const progress = signal<Progress | null>(null);
export const lanes = signal<readonly Lane[]>([]);
export const overview = signal<Overview | null>(null);
/** A sentence that the person must read, and what can be done about it. */
export const trouble = signal<{ kind: "gone" | "token" | "other"; text: string } | null>(null);

/** Why the lanes are not drawn: what the server said instead. */
export const lanesError = signal("");

export const page = signal("timeline");
export const view = signal<View>({ start: 0, end: 1 });
export const range = signal<Span | null>(null);
export const selection = signal<SliceRef | null>(null);
export const slice = signal<Slice | null>(null);
export const sliceError = signal("");
export const clock = signal<"relative" | "wall">("relative");
export const themeChoice = signal<"system" | "light" | "dark">("system");
export const showFlows = signal(false);
/** The view is on its way to somewhere. */
export const gliding = signal(false);
/** How wide the lanes' titles are, in px; 0: as the style sheet has it. */
export const heads = signal(0);
export const HEADS_LEAST = 60;
export const HEADS_MOST = 800;

export const query = signal("");
export const found = signal<Search | null>(null);
export const foundAt = signal(-1);
export const notes = signal<readonly Note[]>([]);

export const filter = signal("");
export const pinned = signal<ReadonlySet<number>>(new Set());
export const hidden = signal<ReadonlySet<number>>(new Set());
export const opened = signal<ReadonlyMap<string, boolean>>(new Map());
export const deep = signal<ReadonlySet<number>>(new Set());

/** Which of the panels beside the timeline is open. */
export const panel = signal<"" | "details" | "search" | "range" | "notes">("");
export const dialog = signal<"" | "keys" | "goto" | "note">("");
/** Read aloud by screen readers. */
export const spoken = signal("");
/** What a person believes to be kept, and is not. */
export const unkept = signal("");

/** Whether the trace is still being written; whether a view of its end goes along. */
export const live = computed(() => (progress.value?.age_ns ?? null) !== null);
export const follows = signal(true);
export const span = computed(() => meta.value?.span_ns ?? 0);
export const isProfile = computed(() => meta.value?.kind === "profile");
export const startClock = computed(() => {
  const at = meta.value;
  return at ? wallClock(at.start_wall_ns, at.zone) : null;
});
export const axisClock = computed(() => (clock.value === "wall" ? startClock.value : null));

const prefs = computed<LanePrefs>(() => ({
  pinned: pinned.value,
  hidden: hidden.value,
  open: opened.value,
  deep: deep.value,
  filter: filter.value,
}));
export const layout = computed(() => new LaneLayout(lanes.value, meta.value?.programs ?? [], span.value, prefs.value));
export const laneById = computed(() => new Map(lanes.value.map((lane) => [lane.id, lane])));
export const keyOf = (lane: number): number => laneById.value.get(lane)?.key ?? -1;
const rowKeys = computed(() => new Map(lanes.value.flatMap((lane) => lane.rows.map((row) => [row.id, row.key]))));
const rowIds = computed(() => new Map([...rowKeys.value].map(([id, key]) => [key, id])));

/** A slice as a link names it, whose row is a key, and back; null: there is no such row, or not yet. */
export function toLink(ref: SliceRef): SliceRef | null {
  const row = rowKeys.value.get(ref.row);
  return row === undefined ? null : { ...ref, row };
}

export function fromLink(ref: SliceRef): SliceRef | null {
  const row = rowIds.value.get(ref.row);
  return row === undefined ? null : { ...ref, row };
}

export function setView(to: View): void {
  view.value = clampView(to, span.value);
}

export function setFollows(on: boolean): void {
  follows.value = on;
}

export function toggled(set: ReadonlySet<number>, id: number): ReadonlySet<number> {
  const next = new Set(set);
  if (!next.delete(id)) next.add(id);
  return next;
}

export function setOpen(key: string, open: boolean): void {
  opened.value = new Map(opened.value).set(key, open);
}

/** Makes a lane visible, whatever hides or folds it. */
export function unfold(id: number): void {
  const lane = laneById.value.get(id);
  if (!lane || layout.value.byLane.has(id)) return;
  batch(() => {
    if (hidden.value.has(lane.key)) hidden.value = toggled(hidden.value, lane.key);
    filter.value = "";
    const next = new Map(opened.value);
    for (const key of layout.value.keysFor(lane)) next.set(key, true);
    opened.value = next;
  });
}

/** "nginx 4711" where there are several processes, else "". */
export function programOf(lane: Lane): string {
  const programs = meta.value?.programs ?? [];
  const program = programs.length > 1 ? programs.find((each) => each.id === lane.program) : undefined;
  return program ? `${program.name} ${program.pid}` : "";
}

const namesakes = computed(() => {
  const seen = new Map<string, number>();
  for (const lane of lanes.value) if (lane.kind === "thread") seen.set(`${lane.program}/${lane.name}`, (seen.get(`${lane.program}/${lane.name}`) ?? 0) + 1);
  return seen;
});

/** The number of a thread whose process has others of its name, else "". */
export function tidOf(lane: Lane): string {
  return lane.kind === "thread" && lane.tid && (namesakes.value.get(`${lane.program}/${lane.name}`) ?? 0) > 1 ? String(lane.tid) : "";
}

/** A lane's name, with its number where others have that name, and with the process it is of, where there are several. */
export function laneTitle(id: number): string {
  const lane = laneById.value.get(id);
  if (!lane) return "";
  const program = programOf(lane);
  return [lane.name, tidOf(lane), program && `(${program})`].filter(Boolean).join(" ");
}

/** Flows of what is in view, when they are all shown. */
export const flows = signal<readonly Flow[]>([]);

export function flowsPlaced(top: number): Arrow[] {
  return placeFlows(flows.value, layout.value, top);
}

export const pauseRows = computed(() => lanes.value.filter((lane) => lane.kind === "pause").flatMap((lane) => lane.rows.map((row) => row.id)));
