// What the server's endpoints answer, as docs/view-api.md has it.  Times are ns since the start of the trace.

export type Progress = {
  state: "building" | "ready" | "failed";
  covered_ns: number;
  looked?: [number, number][]; // parts behind that are shown before they are indexed, while it is being built
  part: number;
  seconds_left: number | null;
  error: string | null;
  revision: number;
  age_ns?: number | null; // of the newest that is known, while the trace is still being written
};

export type Program = {
  id: number;
  key: number;
  pid: number;
  name: string;
  command: string;
  host: string; // empty when the trace is of one machine
  start_ns: number;
  end_ns: number;
  threads: number;
};

export type Meta = {
  ctrace: string;
  kind?: "trace" | "profile";
  trace: {
    file: string;
    files?: string[];
    key: string; // another one when the same address serves something else
    uuid: string;
    bytes: number;
    events: number;
    lost: number;
    damage: string | null;
  };
  span_ns: number;
  start_wall_ns: string;
  zone: string;
  cpus: number;
  programs: Program[];
  classes: { id: number; name: string; word?: string }[];
  revision: number;
  index: Progress;
};

export type RowKind = "state" | "slices" | "marks" | "value";
export type Row = { id: number; key: number; kind: RowKind; depth: number; name: string };
export type LaneKind = "thread" | "cpu" | "counter" | "pause" | "task";
export type Lane = {
  id: number;
  key: number; // the same in whatever order the trace's files are opened: for links
  kind: LaneKind;
  program: number;
  tid: number;
  name: string;
  group: string;
  start_ns: number;
  end_ns: number;
  busy_ns: number;
  rows: Row[];
  unit: string;
  host: string; // of a CPU
};
export type Lanes = { revision: number; lanes: Lane[] };
export type Names = { from: number; names: string[]; classes: number[] };
export type Start = { meta: Meta; lanes: Lanes; names: Names };

export type Frame = { function: string; file: string; line: number; module: string; inlined?: boolean };
export type Peer = { lane: number; row: number | null; slice: number | null; name: string; ns: number; stack: Frame[] };
export type SliceRef = { row: number; slice: number };
export type TimedRef = SliceRef & { start_ns: number };
export type Slice = SliceRef & {
  lane: number;
  name: string;
  class: number;
  start_ns: number;
  dur_ns: number;
  self_ns: number | null;
  cpu_ns: number | null;
  state: string;
  flags: string[];
  args: { name: string; value: string; text: string }[];
  stack: Frame[];
  end_stack: Frame[];
  waker: Peer | null;
  woken: Peer[];
  parent: SliceRef | null;
  previous: TimedRef | null;
  next: TimedRef | null;
};

export type FlowEnd = { lane: number; row: number | null; ns: number };
export type Flow = { kind: "wake" | "create" | "join"; from: FlowEnd; to: FlowEnd };
export type Flows = { flows: Flow[]; more: boolean };

export type Hit = SliceRef & { lane: number; name: string; start_ns: number; dur_ns: number };
export type Search = { hits: Hit[]; total: number; more: boolean; bins: number[] };

export type NameTotal = {
  name: string;
  class: number;
  count: number;
  total_ns: number;
  max_ns: number;
  min_ns: number;
};
export type Range = { names: NameTotal[]; states: { lane: number; class: number[] }[] };

export type Flame = {
  unit: string;
  total: number;
  base_total?: number;
  frames: Frame[];
  nodes: number[][];
};

export type Long = Hit & { lane_name: string; function?: string; class: number; waker: { lane: number; name: string } | null; error: string | null };
export type Overview = {
  span_ns: number;
  cpus: number;
  events: number;
  lost: number;
  threads: number;
  busiest: { lane: number; name: string; busy_ns: number }[];
  waits: Long[];
  pauses: Long[];
  minimap: { bins: number; running: number[]; waiting: number[]; lost: number[] };
};

export type ThreadGroup = { group: string; program: number; count: number; total_ns: number; states: number[] };

export type ProfileType = { name: string; unit: string };
export type Profile = {
  types: ProfileType[];
  default: number;
  comments: string[];
  base: boolean;
  samples?: number;
  duration_ns?: number;
  time_wall_ns?: string;
};
export type TopRow = {
  function: string;
  file: string;
  line: number;
  module: string;
  self: number;
  total: number;
  base_self?: number;
  base_total?: number;
};
export type Top = { unit: string; total: number; rows: TopRow[] };

export type Note = { ns: number; text: string };
export type Notes = { notes: Note[] };
export type Settings = { theme?: string; clock?: string; heads?: number };
