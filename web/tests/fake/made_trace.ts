// A made-up trace, the same for the same seed: the page's tests need one whose every answer can be counted by hand.

import type { Lane, Program, RowKind } from "../../src/api/answers";

export type MadeSlice = { start: number; end: number; name: number; cls: number; waker?: { row: number; slice: number; ns: number } };
export type MadeRow = { id: number; kind: RowKind; lane: number; slices: MadeSlice[]; values: { at: number; value: number }[] };
export type MadeTrace = { span: number; lanes: Lane[]; rows: MadeRow[]; names: string[]; classes: number[]; programs: Program[] };

const KEYS = 1e12; // what a link names a lane by; rows and programs have keys beyond those of lanes

export const rowKey = (row: number): number => 2 * KEYS + row;

export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

const STATES: [string, number, number][] = [
  ["running", 1, 400e3],
  ["runnable", 2, 60e3],
  ["mutex", 3, 900e3],
  ["condition", 4, 1500e3],
  ["sleeping", 6, 3000e3],
  ["epoll_wait", 7, 2500e3],
  ["read", 8, 90e3],
];
const CALLS: [string, number, number][] = [
  ["read", 8, 40e3],
  ["write", 8, 25e3],
  ["pthread_mutex_lock", 3, 700e3],
  ["handle_request", 14, 900e3],
  ["parse", 14, 120e3],
  ["openat", 9, 30e3],
];

class Maker {
  readonly trace: MadeTrace;
  private readonly next: () => number;

  constructor(span: number, seed: number) {
    this.next = random(seed);
    this.trace = { span, lanes: [], rows: [], names: [], classes: [], programs: [] };
  }

  name(text: string, cls: number): number {
    const at = this.trace.names.indexOf(text);
    if (at >= 0) return at;
    this.trace.classes.push(cls);
    return this.trace.names.push(text) - 1;
  }

  lane(kind: Lane["kind"], program: number, name: string, group: string, rows: RowKind[], unit = ""): Lane {
    const id = this.trace.lanes.length;
    const lane: Lane = { id, key: KEYS + id, kind, program, tid: kind === "thread" ? 1000 + id : 0, name, group, start_ns: 0, end_ns: this.trace.span, busy_ns: 0, rows: [], unit, host: "" };
    let depth = 0;
    for (const row of rows) {
      const made: MadeRow = { id: this.trace.rows.length, kind: row, lane: id, slices: [], values: [] };
      this.trace.rows.push(made);
      lane.rows.push({ id: made.id, key: rowKey(made.id), kind: row, depth: row === "slices" ? depth++ : 0, name: row === "value" ? name : "" });
    }
    this.trace.lanes.push(lane);
    return lane;
  }

  length(mean: number): number {
    return Math.max(1, Math.floor(-Math.log(1 - this.next() * 0.9999) * mean));
  }

  fill(row: MadeRow, kinds: [string, number, number][], gap: number): void {
    for (let at = this.length(gap); at < this.trace.span; ) {
      const [text, cls, mean] = kinds[Math.floor(this.next() * kinds.length)];
      const end = Math.min(this.trace.span, at + this.length(mean));
      row.slices.push({ start: at, end, name: this.name(text, cls), cls });
      at = end + (gap > 1 ? this.length(gap) : 0);
    }
  }

  nest(parent: MadeRow, row: MadeRow): void {
    for (const above of parent.slices) {
      if (above.cls !== 14 || above.end - above.start < 1000) continue;
      for (let at = above.start + this.length(20e3); at < above.end; at += this.length(60e3)) {
        const [text, cls, mean] = CALLS[Math.floor(this.next() * CALLS.length)];
        const end = Math.min(above.end, at + this.length(mean));
        row.slices.push({ start: at, end, name: this.name(text, cls), cls });
        at = end;
      }
    }
  }

  thread(program: number, name: string, group: string, idle = false): void {
    const lane = this.lane("thread", program, name, group, ["state", "slices", "slices", "marks"]);
    const [state, calls, deeper, marks] = lane.rows.map((row) => this.trace.rows[row.id]);
    if (idle) {
      state.slices.push({ start: 0, end: this.trace.span, name: this.name("sleeping", 6), cls: 6 });
      return;
    }
    this.fill(state, STATES, 1);
    this.fill(calls, CALLS, 150e3);
    this.nest(calls, deeper);
    this.fill(marks, [["sample", 17, 1]], 2000e3);
    for (const slice of state.slices) if (slice.cls === 1) lane.busy_ns += slice.end - slice.start;
  }

  lose(lane: Lane, [start, end]: [number, number]): void {
    const made: MadeRow = { id: this.trace.rows.length, kind: "marks", lane: lane.id, slices: [{ start, end, name: this.name("events lost", 20), cls: 20 }], values: [] };
    this.trace.rows.push(made);
    lane.rows.push({ id: made.id, key: 2 * KEYS + made.id, kind: "marks", depth: 0, name: "lost" });
  }

  wake(): void {
    const threads = this.trace.rows.filter((row) => row.kind === "slices" && row.slices.length);
    for (const row of this.trace.rows) {
      for (const slice of row.slices) {
        if (slice.cls !== 3 || !threads.length) continue;
        const other = threads[Math.floor(this.next() * threads.length)];
        const at = other.slices.findIndex((each) => each.start <= slice.end && each.end >= slice.end);
        if (at >= 0 && other !== row) slice.waker = { row: other.id, slice: at, ns: slice.end - 200 };
      }
    }
  }
}

/** `threads` busy threads in two programs, idle ones, CPUs, counters and pauses; `gap`: events that the second thread lost. */
export function makeTrace(options: { span?: number; seed?: number; threads?: number; idle?: number; gap?: [number, number] } = {}): MadeTrace {
  const { span = 400e6, seed = 7, threads = 10, idle = 6, gap } = options;
  const maker = new Maker(span, seed);
  const program = (id: number, name: string, count: number): Program => ({ id, key: 3 * KEYS + id, pid: 4000 + id, name, command: `./${name} --port 80`, host: "", start_ns: 0, end_ns: span, threads: count });
  maker.trace.programs.push(program(0, "server", threads + idle), program(1, "helper", 1));
  for (let at = 0; at < threads; at++) {
    if (at === 0) maker.thread(0, "main", "main");
    else if (at <= 3) maker.thread(0, `db-${at}`, "db_worker");
    else maker.thread(0, `io-worker-${at}`, "io_worker");
  }
  for (let at = 0; at < idle; at++) maker.thread(0, `spare-${at}`, "spare_thread", true);
  maker.thread(1, "helper", "main");
  for (let cpu = 0; cpu < 2; cpu++) {
    const lane = maker.lane("cpu", -1, `CPU ${cpu}`, "estimated", ["slices"]);
    maker.fill(maker.trace.rows[lane.rows[0].id], [["main", 1, 500e3], ["db-1", 1, 300e3], ["io-worker-4", 1, 200e3]], 100e3);
  }
  const heap = maker.lane("counter", 0, "heap in use", "", ["value"], "bytes");
  for (let at = 0, value = 1e6; at < span; at += maker.length(300e3)) {
    value = value > 9e6 ? 2e6 : value + 1e5;
    maker.trace.rows[heap.rows[0].id].values.push({ at, value });
  }
  const pauses = maker.lane("pause", 0, "Pauses", "", ["slices"]);
  maker.fill(maker.trace.rows[pauses.rows[0].id], [["allocator: brk", 11, 200e3], ["tracer", 12, 80e3]], span / 12);
  maker.wake();
  if (gap) maker.lose(maker.trace.lanes[1], gap);
  return maker.trace;
}
