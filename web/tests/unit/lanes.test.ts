// The order and places of lanes.

import { describe, expect, it } from "vitest";
import { placeFlows } from "../../src/timeline/arrows";
import { LaneLayout, laneMatches, poolTitle, type LanePrefs } from "../../src/timeline/lanes";
import { makeTrace } from "../fake/made_trace";

const trace = makeTrace({ span: 50e6 });
const prefs = (change: Partial<LanePrefs> = {}): LanePrefs => ({ pinned: new Set(), hidden: new Set(), open: new Map(), deep: new Set(), filter: "", ...change });
const layout = (change: Partial<LanePrefs> = {}) => new LaneLayout(trace.lanes, trace.programs, trace.span, prefs(change));
const titles = (at: LaneLayout) => at.items.map((item) => `${item.kind} ${item.title}${item.kind === "fold" ? ` ${item.count}` : ""}`);
const id = (name: string) => trace.lanes.find((lane) => lane.name === name)?.id ?? -1;
const key = (name: string) => trace.lanes.find((lane) => lane.name === name)?.key ?? -1;

describe("layout", () => {
  it("groups by process and start routine, busy ones first, idle ones folded", () => {
    const list = titles(layout());
    expect(list.filter((title) => title.startsWith("heading"))).toEqual(["heading Pauses", "heading CPUs, estimated", "heading server 4000", "heading helper 4001", "heading Counters"]);
    expect(list).toContain("fold io-worker-* · io_worker 6");
    expect(list).toContain("fold idle 6");
    expect(list).not.toContain("lane io-worker-4");
    expect(list.indexOf("fold idle 6")).toBe(list.indexOf("heading helper 4001") - 1);
    const busy = ["db-1", "db-2", "db-3"].map((name) => trace.lanes[id(name)]).sort((a, b) => b.busy_ns - a.busy_ns);
    expect(list.filter((title) => title.startsWith("lane db-"))).toEqual(busy.map((lane) => `lane ${lane.name}`));
  });
  it("draws arrows to what is folded away to its fold", () => {
    const flow = { kind: "wake" as const, from: { lane: id("main"), row: null, ns: 5 }, to: { lane: id("io-worker-4"), row: trace.lanes[id("io-worker-4")].rows[1].id, ns: 9 } };
    const folded = layout();
    const [arrow] = placeFlows([flow], folded, 100);
    const fold = folded.items.find((item) => item.key === "p3000000000000/io_worker");
    expect(arrow.toY).toBe((fold?.y ?? 0) + (fold?.h ?? 0) / 2 - 100);
    const shut = layout({ open: new Map([["p3000000000000", false]]) });
    const heading = shut.items.find((item) => item.key === "p3000000000000");
    expect(placeFlows([flow], shut, 0)[0].toY).toBe((heading?.y ?? 0) + (heading?.h ?? 0) / 2);
    expect(placeFlows([flow], layout({ hidden: new Set([trace.lanes[id("io-worker-4")].key]) }), 0)).toEqual([]);
  });
  it("folds pauses and counters of all but the busiest of many processes, and closes those that do nothing", () => {
    const of = (kind: "pause" | "thread", n: number, busy: number) =>
      ({ ...trace.lanes[0], id: kind === "pause" ? n : 100 + n, key: kind === "pause" ? n : 100 + n, kind, program: n, name: `${kind} ${n}`, group: "", host: "", busy_ns: busy });
    const numbers = [...Array(20).keys()];
    const lanes = [...numbers.map((n) => of("pause", n, 0)), ...numbers.map((n) => of("thread", n, n === 7 ? 9e6 : n))];
    const programs = numbers.map((n) => ({ ...trace.programs[0], id: n, key: n, pid: 1000 + n, host: "" }));
    const at = new LaneLayout(lanes, programs, 50e6, prefs());
    expect(titles(at).slice(0, 6)).toEqual(["heading Pauses", "lane pause 7", "lane pause 17", "lane pause 18", "lane pause 19", "fold of other processes 16"]);
    expect(at.items.filter((item) => item.kind === "heading" && item.open).map((item) => item.key)).toEqual(["pauses", "p7"]);
    expect(at.keysFor(lanes[3])).toEqual(["pauses", "pauses/others"]);
    expect(at.keysFor(lanes[7])).toEqual(["pauses"]);
    expect(at.foldOf.get(3)?.key).toBe("pauses/others");
  });
  it("places everything below what came before, and finds it again", () => {
    const at = layout({ open: new Map([["p3000000000000/io_worker", true]]) });
    let y = 0;
    for (const item of at.items) {
      expect(item.y).toBe(y);
      y += item.h;
      for (const row of item.rows) {
        expect(row.y >= item.y && row.y + row.h <= item.y + item.h).toBe(true);
        expect(at.rowAt(row.y + row.h / 2)).toBe(row);
      }
    }
    expect(at.height).toBe(y);
    expect(at.between(0, y)).toEqual(at.items);
    expect(at.between(y + 5, y + 50)).toEqual([]);
    expect(at.rowAt(-10)).toBeNull();
  });
  it("pins at the top, hides, filters", () => {
    const at = layout({ pinned: new Set([key("io-worker-5")]), hidden: new Set([key("main")]) });
    expect(titles(at).slice(0, 2)).toEqual(["heading Pinned", "lane io-worker-5"]);
    expect(titles(at)).not.toContain("lane main");
    expect(titles(layout({ filter: "io-*" })).filter((title) => !title.startsWith("heading"))[0]).toBe("fold io-worker-* · io_worker 6");
    expect(titles(layout({ filter: "spare" })).filter((title) => title.startsWith("lane")).length).toBe(6);
    expect(layout({ filter: "no such" }).items).toEqual([]);
  });
  it("names the keys that open the way to a lane", () => {
    const lane = trace.lanes[id("io-worker-5")];
    const open = new Map(layout().keysFor(lane).map((key) => [key, true] as const));
    expect(layout({ open }).byLane.has(lane.id)).toBe(true);
  });
  it("groups by host where there are several, each with its CPUs, and says how sure its clock is", () => {
    const hosts = ["web1", "web2 (clock +-3.5 us)"];
    const programs = trace.programs.map((program) => ({ ...program, name: `${program.name} on ${hosts[program.id]}`, host: hosts[program.id] }));
    const lanes = trace.lanes.map((lane, at) => ({ ...lane, host: lane.kind === "cpu" ? hosts[at % 2] : "" }));
    const at = (change: Partial<LanePrefs> = {}) => new LaneLayout(lanes, programs, trace.span, prefs(change));
    const headings = (layout: LaneLayout) => layout.items.filter((item) => item.kind === "heading").map((item) => item.title);
    const [first, second] = [headings(at()).indexOf("web1"), headings(at()).indexOf(hosts[1])];
    expect(first).toBe(0);
    expect(headings(at()).slice(second)).toEqual([hosts[1], "CPUs, estimated", "helper 4001"]);
    expect(headings(at()).slice(first, second)).toContain("server 4000");
    expect(at().items.find((item) => item.key === `h${hosts[1]}`)?.detail).toMatch(/clock is not known better/);
    expect(at().items[0].detail).toBe("");
    const helper = lanes[id("helper")];
    const shut = at({ open: new Map([[`h${hosts[1]}`, false]]) });
    expect(shut.byLane.has(helper.id)).toBe(false);
    expect(shut.foldOf.get(helper.id)?.key).toBe(`h${hosts[1]}`);
    for (const lane of lanes) {
      const open = new Map(at().keysFor(lane).map((key) => [key, true] as const));
      expect(at({ open }).byLane.has(lane.id)).toBe(true);
    }
    expect(headings(at({ filter: "helper" }))).toEqual([hosts[1], "helper 4001"]);
  });
  it("stays quick with ten thousand threads", () => {
    const many = Array.from({ length: 10000 }, (_, at) => ({ ...trace.lanes[1], id: at, name: `t-${at}`, group: `g${at % 50}`, busy_ns: at * 1000 }));
    const began = process.cpuUsage().user; // others' work does not count
    new LaneLayout(many, trace.programs, trace.span, prefs());
    expect(process.cpuUsage().user - began).toBeLessThan(400e3);
  });
});

it("matches by words and stars", () => {
  const lane = trace.lanes[id("io-worker-5")];
  expect(["io-*", "IO worker", "server", `${lane.tid}`, "io_w*5"].map((filter) => laneMatches(lane, trace.programs[0], filter))).toEqual([true, true, true, true, false]);
  expect(laneMatches(lane, undefined, "a.b(c[")).toBe(false);
});

it("names pools", () => {
  const lane = (name: string) => ({ ...trace.lanes[1], name });
  expect(poolTitle([lane("w-1"), lane("w-2")], "run")).toBe("w-* · run");
  expect(poolTitle([lane("a"), lane("b")], "run")).toBe("run");
  expect(poolTitle([lane("run"), lane("run")], "run")).toBe("run");
});
