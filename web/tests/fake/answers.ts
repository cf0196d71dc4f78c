// What the made-up trace answers to each question of the page, by looking at everything.

import type { Flame, Hit, Lane, Meta, NameTotal, Overview, Progress, Slice, ThreadGroup } from "../../src/api/answers";
import type { MadeRow, MadeTrace } from "./made_trace";

const CLASS_NAMES = [
  "unknown", "running", "runnable", "waiting for a lock", "waiting for a condition", "joining", "sleeping", "polling", "I/O call", "file call",
  "process", "allocator pause", "tracer pause", "collector pause", "region", "task", "wake", "CPU sample", "allocation sample", "log", "lost events", "other",
];

export const STACK = [
  { function: "handle_request", file: "src/server.c", line: 120, module: "server", inlined: false },
  { function: "serve_connection", file: "src/server.c", line: 210, module: "server", inlined: true },
  { function: "main", file: "src/main.c", line: 33, module: "server", inlined: false },
];

export function progressOf(part: number, span: number, revision: number): Progress {
  return { state: part < 1 ? "building" : "ready", covered_ns: span * part, part, seconds_left: part < 1 ? 3 : null, error: null, revision };
}

export function metaOf(trace: MadeTrace, progress: Progress, change: { damage?: string; lost?: number; events?: number } = {}): Meta {
  const events = change.events ?? trace.rows.reduce((sum, row) => sum + row.slices.length * 2, 0);
  return {
    ctrace: "1.0.0",
    kind: "trace",
    trace: { file: "/home/somebody/trace.out", files: [], key: "made", uuid: "made", bytes: events * 8, events, lost: change.lost ?? 0, damage: change.damage ?? null },
    span_ns: trace.span,
    start_wall_ns: "1763809424120000000",
    zone: "+0100",
    cpus: 2,
    programs: trace.programs,
    classes: CLASS_NAMES.map((name, id) => ({ id, name })),
    revision: progress.revision,
    index: progress,
  };
}

export function rowOf(trace: MadeTrace, id: number): MadeRow | undefined {
  return trace.rows[id];
}

function laneOf(trace: MadeTrace, row: number): Lane {
  return trace.lanes[trace.rows[row].lane];
}

function peer(trace: MadeTrace, row: number, slice: number, ns: number) {
  const at = trace.rows[row].slices[slice];
  return { lane: laneOf(trace, row).id, row, slice, name: trace.names[at.name], ns, stack: STACK };
}

export function sliceOf(trace: MadeTrace, row: number, slice: number): Slice | null {
  const made = trace.rows[row];
  const at = made?.slices[slice];
  if (!at) return null;
  const same = made.slices.map((each, index) => ({ each, index })).filter(({ each }) => each.name === at.name);
  const here = same.findIndex(({ index }) => index === slice);
  const ref = (found: (typeof same)[0] | undefined) => (found ? { row, slice: found.index, start_ns: found.each.start } : null);
  const woken = trace.rows.flatMap((other) => other.slices.flatMap((each, index) => (each.waker?.row === row && each.waker.slice === slice ? [peer(trace, other.id, index, each.end)] : [])));
  return {
    row,
    slice,
    lane: made.lane,
    name: trace.names[at.name],
    class: at.cls,
    start_ns: at.start,
    dur_ns: at.end - at.start,
    self_ns: Math.round((at.end - at.start) * 0.7),
    cpu_ns: null,
    state: CLASS_NAMES[at.cls],
    flags: [],
    args: at.cls === 8 ? [{ name: "fd", value: "7", text: "socket 10.0.0.1:80" }, { name: "bytes", value: "512", text: "512 B" }] : at.cls === 4 && !at.waker ? [{ name: "result", value: "-110", text: "ETIMEDOUT" }] : [],
    stack: STACK,
    end_stack: made.kind === "state" && at.cls === 1 ? STACK.slice(1) : [],
    waker: at.waker ? peer(trace, at.waker.row, at.waker.slice, at.waker.ns) : null,
    woken: woken.slice(0, 32),
    parent: null,
    previous: ref(same[here - 1]),
    next: ref(same[here + 1]),
  };
}

function allHits(trace: MadeTrace): Hit[] {
  return trace.rows.flatMap((row) =>
    row.slices.map((slice, at) => ({ row: row.id, slice: at, lane: row.lane, name: trace.names[slice.name], start_ns: slice.start, dur_ns: slice.end - slice.start })),
  );
}

export function searchOf(trace: MadeTrace, text: string, limit: number, order = "time") {
  const least = /dur>(\d+)ms/.exec(text);
  const regex = /^\/(.*)\/$/.exec(text);
  const matches = (hit: Hit) => (least ? hit.dur_ns > Number(least[1]) * 1e6 : regex ? new RegExp(regex[1]).test(hit.name) : hit.name.includes(text));
  const hits = allHits(trace).filter(matches).sort((a, b) => (order === "longest" ? b.dur_ns - a.dur_ns : a.start_ns - b.start_ns));
  const bins = new Array<number>(512).fill(0);
  for (const hit of hits) bins[Math.min(511, Math.floor((hit.start_ns / trace.span) * 512))]++;
  return { hits: hits.slice(0, limit), total: hits.length, more: hits.length > limit, bins };
}

export function statesOf(trace: MadeTrace, lane: Lane, from: number, to: number): number[] {
  const states = new Array<number>(22).fill(0);
  for (const row of lane.rows.filter((each) => each.kind === "state"))
    for (const slice of trace.rows[row.id].slices) states[slice.cls] += Math.max(0, Math.min(to, slice.end) - Math.max(from, slice.start));
  return states;
}

export function rangeOf(trace: MadeTrace, from: number, to: number) {
  const names = new Map<number, NameTotal>();
  for (const row of trace.rows) {
    for (const slice of row.slices) {
      if (slice.end <= from || slice.start >= to || row.kind !== "slices") continue;
      const length = Math.min(to, slice.end) - Math.max(from, slice.start);
      const total = names.get(slice.name) ?? { name: trace.names[slice.name], class: slice.cls, count: 0, total_ns: 0, max_ns: 0, min_ns: Infinity };
      names.set(slice.name, { ...total, count: total.count + 1, total_ns: total.total_ns + length, max_ns: Math.max(total.max_ns, length), min_ns: Math.min(total.min_ns, length) });
    }
  }
  const states = trace.lanes.filter((lane) => lane.kind === "thread").map((lane) => ({ lane: lane.id, class: statesOf(trace, lane, from, to) }));
  return { names: [...names.values()], states };
}

function longOf(trace: MadeTrace, hit: Hit) {
  const waker = sliceOf(trace, hit.row, hit.slice)?.waker;
  return { lane_name: trace.lanes[hit.lane].name, class: 3, waker: waker ? { lane: waker.lane, name: trace.lanes[waker.lane].name } : null, error: null };
}

export function overviewOf(trace: MadeTrace, lost = 0): Overview {
  const threads = trace.lanes.filter((lane) => lane.kind === "thread");
  const waits = allHits(trace).filter((hit) => trace.rows[hit.row].slices[hit.slice].cls === 3 && trace.rows[hit.row].kind === "slices");
  const pauseLane = trace.lanes.find((lane) => lane.kind === "pause");
  const pauses = pauseLane ? trace.rows[pauseLane.rows[0].id].slices.map((slice, at) => ({ row: pauseLane.rows[0].id, slice: at, lane: pauseLane.id, lane_name: pauseLane.name, class: slice.cls, waker: null, error: null, name: trace.names[slice.name], start_ns: slice.start, dur_ns: slice.end - slice.start })) : [];
  const bins = (cls: number) => {
    const list = new Array<number>(512).fill(0);
    const states = threads.map((lane) => trace.rows[lane.rows[0].id].slices.filter((slice) => slice.cls === cls)).flat();
    for (const { start, end } of states) {
      for (let at = Math.floor((start / trace.span) * 512); at < 512 && at * trace.span < end * 512; at++)
        list[at] += Math.max(0, Math.min(end, ((at + 1) * trace.span) / 512) - Math.max(start, (at * trace.span) / 512));
    }
    return list;
  };
  return {
    span_ns: trace.span,
    cpus: 2,
    events: trace.rows.reduce((sum, row) => sum + row.slices.length * 2, 0),
    lost,
    threads: threads.length,
    busiest: [...threads].sort((a, b) => b.busy_ns - a.busy_ns).slice(0, 8).map((lane) => ({ lane: lane.id, name: lane.name, busy_ns: lane.busy_ns })),
    waits: waits.sort((a, b) => b.dur_ns - a.dur_ns).slice(0, 10).map((hit) => ({ ...hit, ...longOf(trace, hit) })),
    pauses,
    minimap: { bins: 512, running: bins(1), waiting: bins(3), lost: new Array<number>(512).fill(0).map((_, at) => (lost && at === 100 ? 1 : 0)) },
  };
}

export function threadsOf(trace: MadeTrace): ThreadGroup[] {
  const groups = new Map<string, ThreadGroup>();
  for (const lane of trace.lanes.filter((each) => each.kind === "thread")) {
    const key = `${lane.program}/${lane.group}`;
    const group = groups.get(key) ?? { group: lane.group, program: lane.program, count: 0, total_ns: 0, states: new Array<number>(22).fill(0) };
    const states = statesOf(trace, lane, 0, trace.span);
    groups.set(key, { ...group, count: group.count + 1, total_ns: group.total_ns + trace.span, states: group.states.map((ns, at) => ns + states[at]) });
  }
  return [...groups.values()];
}

/** A small tree whose numbers add up: main calls three, one of them calls itself. */
export function flameOf(kind: string): Flame {
  const names = ["root", "main", "serve", "parse_request", "compress", "memcpy", "walk"];
  const frames = names.map((name, at) => ({ function: name, file: at > 4 ? "" : `src/${name}.c`, line: at * 10 + 3, module: at > 4 ? "libc.so.6" : "server" }));
  const nodes = [
    [0, 0, 0, 1000],
    [0, 1, 40, 1000],
    [1, 2, 100, 700],
    [1, 6, 60, 260],
    [2, 3, 250, 250],
    [2, 4, 150, 350],
    [5, 5, 200, 200],
    [3, 6, 200, 200],
  ].map(([parent, frame, self, total]) => [parent, frame, self * 1e5, total * 1e5]);
  return { unit: kind === "alloc" ? "bytes" : "ns", total: 1e8, frames, nodes };
}
