// The order and the place of lanes: grouped by host (when there are several), process and start routine, idle ones folded, pinned
// ones first.  Pure.

import type { Lane, Program, Row } from "../api/answers";

export type LanePrefs = {
  pinned: ReadonlySet<number>; // keys of lanes, as all that links name
  hidden: ReadonlySet<number>;
  /** Folds and headings that a person opened or closed, by key; others are as they are at first. */
  open: ReadonlyMap<string, boolean>;
  /** Lanes that show all their depths. */
  deep: ReadonlySet<number>;
  filter: string;
};

export type PlacedRow = { lane: Lane; row: Row; y: number; h: number; thin: boolean };
export type Item = {
  kind: "heading" | "lane" | "fold";
  key: string;
  title: string;
  detail: string;
  count: number;
  open: boolean;
  indent: number;
  lane: Lane | null;
  rows: PlacedRow[];
  deeper: number; // depths that are not shown
  y: number;
  h: number;
};

export const HEIGHT = { state: 15, band: 9, slices: 15, marks: 8, value: 36, thin: 3, heading: 24, lane: 25, gap: 7, deep: 5 };
const POOL = 3; // as many threads of one start routine are a pool
const POOL_OPEN = 4; // greater pools are folded at first,
const FEW = 12; // unless the program has so few threads; as many programs are all open
const TOLD = 4; // programs whose pauses and counters are not folded
const IDLE_SHARE = 0.001; // of the span
const IDLE_LEAST = 2; // one idle lane needs no fold
const THIN_ROWS = 12;

type Section = { key: string; title: string; lanes: Lane[]; open: boolean; program?: Program; within?: Section[]; others?: Lane[] };

/** "io-*", "redis tcp": every word must be in the lane's name, group, tid or program; * is any text. */
export function laneMatches(lane: Lane, program: Program | undefined, filter: string): boolean {
  const text = `${lane.name} ${lane.group} ${lane.tid || ""} ${lane.kind} ${program?.name ?? ""} ${program?.pid ?? ""}`.toLowerCase();
  return filter
    .toLowerCase()
    .split(/\s+/)
    .filter(Boolean)
    .every((word) => {
      const parts = word.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
      return new RegExp(parts.join("\\S*")).test(text);
    });
}

/** "io-worker-*" for "io-worker-3": what a pool's threads are called together. */
export function poolTitle(lanes: Lane[], group: string): string {
  const shapes = new Set(lanes.map((lane) => lane.name.replace(/\d+/g, "*")));
  const shape = shapes.size === 1 ? [...shapes][0] : "";
  return shape && shape !== group ? (group ? `${shape} · ${group}` : shape) : group || "threads";
}

const RANK: Record<Row["kind"], number> = { state: 0, slices: 1, marks: 2, value: 3 };

/** A lane's rows as they are drawn: the state, slices by depth, marks, values.  Their ids are in the order they were found. */
function inOrder(rows: readonly Row[]): Row[] {
  return [...rows].sort((a, b) => RANK[a.kind] - RANK[b.kind] || a.depth - b.depth || a.id - b.id);
}

export class LaneLayout {
  readonly items: Item[] = [];
  readonly placed = new Map<number, PlacedRow>(); // by row id; a pinned lane's place is its pinned one
  readonly byLane = new Map<number, Item>();
  readonly foldOf = new Map<number, Item>(); // of lanes that are folded away
  height = 0;
  private readonly otherOf = new Map<number, string>(); // the fold of other processes that a lane is in, by lane
  private readonly known: ReadonlyMap<number, Program>;

  constructor(
    private readonly lanes: readonly Lane[],
    private readonly programs: readonly Program[],
    private readonly span: number,
    private readonly prefs: LanePrefs,
  ) {
    const known = new Map(programs.map((program) => [program.id, program]));
    this.known = known;
    const shown = this.lanes.filter(
      (lane) => !prefs.hidden.has(lane.key) && (!prefs.filter || laneMatches(lane, known.get(lane.program), prefs.filter)),
    );
    const pinned = this.lanes.filter((lane) => prefs.pinned.has(lane.key));
    if (pinned.length) this.section({ key: "pinned", title: "Pinned", lanes: pinned, open: true });
    for (const section of this.sections(shown.filter((lane) => !prefs.pinned.has(lane.key)))) this.section(section);
  }

  private hostOf(lane: Lane): string {
    return lane.kind === "cpu" ? lane.host : (this.known.get(lane.program)?.host ?? "");
  }

  /** Hosts stand in the order of their first lanes; that they are several shows also when a filter leaves one. */
  private sections(lanes: Lane[]): Section[] {
    const of = new Map(this.lanes.map((lane) => [lane.id, this.hostOf(lane)]));
    const hosts = [...new Set(of.values())];
    if (hosts.length < 2) return this.sectionsOf(lanes, "");
    return hosts
      .map((host) => {
        const own = lanes.filter((lane) => of.get(lane.id) === host);
        return { key: `h${host}`, title: host || "of no host", lanes: own, open: true, within: this.sectionsOf(own, host) };
      })
      .filter((section) => section.lanes.length);
  }

  private sectionsOf(lanes: Lane[], host: string): Section[] {
    const at = host && `@${host}`;
    const of = (kind: Lane["kind"]) => lanes.filter((lane) => lane.kind === kind);
    const cpus = of("cpu").sort((a, b) => a.id - b.id);
    const sections: Section[] = [
      { key: `cpus${at}`, title: cpus.some((lane) => lane.group) ? "CPUs, estimated" : "CPUs", lanes: cpus, open: cpus.length <= 8 },
    ];
    const threads = of("thread");
    const ids = [...new Set(threads.map((lane) => lane.program))];
    const busy = (id: number) => threads.reduce((sum, lane) => sum + (lane.program === id ? lane.busy_ns : 0), 0);
    const weights = new Map(ids.map((id) => [id, busy(id)]));
    ids.sort((a, b) => (weights.get(b) ?? 0) - (weights.get(a) ?? 0) || a - b);
    sections.unshift(this.busiestOf(`pauses${at}`, "Pauses", of("pause"), ids));
    for (const id of ids) {
      const program = this.programs.find((each) => each.id === id);
      const title = program ? `${program.name.replace(` on ${host}`, "")} ${program.pid}` : "threads";
      const open = ids.length <= FEW || (weights.get(id) ?? 0) >= this.span * IDLE_SHARE;
      sections.push({ key: `p${program?.key ?? id}`, title, lanes: threads.filter((lane) => lane.program === id), open, program });
    }
    sections.push({ key: `tasks${at}`, title: "Tasks", lanes: of("task"), open: true });
    sections.push(this.busiestOf(`counters${at}`, "Counters", of("counter"), ids));
    return sections.filter((section) => section.lanes.length);
  }

  /** Lanes that each program has: a shell script has hundreds of programs, and those that do nothing would hide the others. */
  private busiestOf(key: string, title: string, lanes: Lane[], byBusy: readonly number[]): Section {
    const own = new Set(lanes.map((lane) => lane.program));
    if (own.size <= TOLD + 1) return { key, title, lanes, open: true };
    const told = byBusy.filter((id) => own.has(id)).slice(0, TOLD);
    const others = lanes.filter((lane) => !told.includes(lane.program));
    for (const lane of others) this.otherOf.set(lane.id, `${key}/others`);
    return { key, title, lanes, open: true, others };
  }

  private isOpen(key: string, first: boolean): boolean {
    return this.prefs.filter ? (this.prefs.open.get(key) ?? true) : (this.prefs.open.get(key) ?? first);
  }

  private push(item: Omit<Item, "y" | "h" | "rows"> & { rows?: PlacedRow[] }, h: number): Item {
    const whole: Item = { ...item, rows: item.rows ?? [], y: this.height, h };
    this.items.push(whole);
    this.height += h;
    return whole;
  }

  private section(section: Section): void {
    const { key, title, lanes } = section;
    const open = this.isOpen(key, section.open);
    const uncertain = section.within && title.includes("(clock ") ? "Its clock is not known better than that: what happened here may have been so much earlier or later than what other hosts did" : "";
    const detail = uncertain || section.program?.command || (key.startsWith("cpus") && lanes.some((lane) => lane.group) ? "Estimated: plain where a thread was seen on the CPU before and after, hatched where it was last seen there and may have left" : "");
    const item = this.push({ kind: "heading", key, title, detail, count: lanes.length, open, indent: 0, lane: null, deeper: 0 }, HEIGHT.heading);
    if (!open) {
      for (const lane of lanes) this.foldOf.set(lane.id, item);
      return;
    }
    if (section.within) {
      for (const inner of section.within) this.section(inner);
      return;
    }
    if (lanes[0].kind !== "thread" || key === "pinned") {
      const others = new Set(section.others);
      for (const lane of lanes) if (!others.has(lane)) this.lane(lane, 0);
      if (section.others) this.fold(`${key}/others`, "of other processes", section.others, false);
      return;
    }
    this.threads(key, lanes);
  }

  private threads(key: string, lanes: Lane[]): void {
    const idle = this.prefs.filter ? [] : lanes.filter((lane) => lane.busy_ns < this.span * IDLE_SHARE);
    const folded = new Set(idle.length >= IDLE_LEAST && idle.length < lanes.length ? idle : []);
    const groups = new Map<string, Lane[]>();
    for (const lane of lanes) {
      if (folded.has(lane)) continue;
      const name = lane.group || `=${lane.key}`;
      const group = groups.get(name);
      if (group) group.push(lane);
      else groups.set(name, [lane]);
    }
    const order = [...groups].map(([name, members]) => ({ name, members, busiest: members.reduce((most, lane) => Math.max(most, lane.busy_ns), 0), first: members[0].id }));
    order.sort((a, b) => b.busiest - a.busiest || a.first - b.first);
    for (const { name, members } of order) {
      members.sort((a, b) => b.busy_ns - a.busy_ns || a.id - b.id);
      if (members.length < POOL) for (const lane of members) this.lane(lane, 0);
      else this.fold(`${key}/${name}`, poolTitle(members, name), members, members.length <= POOL_OPEN || lanes.length <= FEW);
    }
    if (folded.size) this.fold(`${key}/idle`, "idle", [...folded], false);
  }

  private fold(key: string, title: string, members: Lane[], first: boolean): void {
    const open = this.isOpen(key, first);
    const rows: PlacedRow[] = [];
    if (!open) {
      const top = this.height + 4;
      for (const lane of members.slice(0, THIN_ROWS))
        for (const row of inOrder(lane.rows).filter((each) => each.kind !== "value").slice(0, 1)) rows.push({ lane, row, y: top + rows.length * (HEIGHT.thin + 1), h: HEIGHT.thin, thin: true });
    }
    const h = Math.max(HEIGHT.lane, 8 + rows.length * (HEIGHT.thin + 1));
    const item = this.push({ kind: "fold", key, title, detail: "", count: members.length, open, indent: 0, lane: null, deeper: 0, rows }, h);
    if (!open) for (const lane of members) this.foldOf.set(lane.id, item);
    for (const row of rows) this.placed.set(row.row.id, row);
    if (open) for (const lane of members) this.lane(lane, 1);
  }

  private lane(lane: Lane, indent: number): void {
    const all = this.prefs.deep.has(lane.id);
    const ordered = inOrder(lane.rows);
    const shown = all ? ordered : ordered.filter((row) => row.kind !== "slices" || row.depth < HEIGHT.deep);
    const deeper = lane.rows.length - shown.length;
    const calls = shown.some((row) => row.kind === "slices"); // they say what the state is called
    const top = this.height;
    let y = top + 4;
    const rows: PlacedRow[] = [];
    for (const row of shown) {
      const h = row.kind === "state" && calls ? HEIGHT.band : (HEIGHT[row.kind] ?? HEIGHT.slices);
      rows.push({ lane, row, y, h, thin: false });
      y += h + 1;
    }
    const detail = lane.kind === "thread" ? lane.group : lane.unit;
    const item = this.push(
      { kind: "lane", key: `l${lane.id}`, title: lane.name, detail, count: 1, open: true, indent, lane, deeper, rows },
      Math.max(HEIGHT.lane, y - top + HEIGHT.gap - 4),
    );
    this.byLane.set(lane.id, item);
    for (const row of rows) this.placed.set(row.row.id, row);
  }

  /** The items that touch [top, bottom). */
  between(top: number, bottom: number): Item[] {
    let low = 0;
    let high = this.items.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.items[middle].y + this.items[middle].h <= top) low = middle + 1;
      else high = middle;
    }
    const list: Item[] = [];
    for (let at = low; at < this.items.length && this.items[at].y < bottom; at++) list.push(this.items[at]);
    return list;
  }

  /** The row at height `y`, or null. */
  rowAt(y: number): PlacedRow | null {
    for (const item of this.between(y, y + 1))
      for (const row of item.rows) if (y >= row.y && y < row.y + row.h + (row.thin ? 1 : 0)) return row;
    return null;
  }

  /** The keys that must be open for a lane to be seen, outermost first. */
  keysFor(lane: Lane): string[] {
    const several = this.lanes.some((each) => this.hostOf(each) !== this.hostOf(lane));
    const host = several ? this.hostOf(lane) : "";
    const outer = several ? [`h${host}`] : [];
    if (lane.kind !== "thread") {
      const other = this.otherOf.get(lane.id);
      return [...outer, `${lane.kind}s${host && `@${host}`}`, ...(other ? [other] : [])];
    }
    const program = `p${this.known.get(lane.program)?.key ?? lane.program}`;
    const pool = [...outer, program, `${program}/${lane.group || `=${lane.key}`}`];
    return lane.busy_ns < this.span * IDLE_SHARE ? [...pool, `${program}/idle`] : pool;
  }
}
