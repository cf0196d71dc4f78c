// What the canvas is told to draw, against every slice of the trace looked at one by one.

import { beforeAll, describe, expect, it, vi } from "vitest";
import { colourOf, isGuess, lookColour, patternOf, thirdsOf } from "../../src/timeline/colours";
import { drawAxis, drawMinimap, drawMinimapGround } from "../../src/timeline/draw_axis";
import { drawLanes, type LanesPicture } from "../../src/timeline/draw_lanes";
import { drawOverlay } from "../../src/timeline/draw_overlay";
import type { Inks } from "../../src/timeline/inks";
import { LaneLayout } from "../../src/timeline/lanes";
import { BANDS, bandsOf, paintStrip, wideEntries } from "../../src/timeline/strip";
import { levelFor, STEPS, stepOf, tilesOf } from "../../src/timeline/tile";
import { TileCache, type Tile } from "../../src/timeline/tile_cache";
import { decodeTiles, type Columns } from "../../src/timeline/tile_reply";
import { RowPixels } from "../../src/timeline/row_pixels";
import { wordOf } from "../../src/timeline/value_strip";
import { bruteTiles } from "../fake/brute_tiles";
import { makeTrace } from "../fake/made_trace";
import { recordingPen, type Call } from "./pen";

const trace = makeTrace({ span: 40e6, threads: 3, idle: 0 });
const WIDTH = 1000;
const inks: Inks = {
  theme: "light", back: "back", heading: "heading", line: "line", faint: "faint", text: "text", dim: "dim", accent: "accent",
  accentFill: "accent-fill", pause: "pause", hit: "hit", font: "f",
};
const GROUND = wordOf(inks.back);
const layout = new LaneLayout(trace.lanes, trace.programs, trace.span, { pinned: new Set(), hidden: new Set(), open: new Map(), deep: new Set(), filter: "" });

function pictureOf(start: number, end: number): LanesPicture {
  const view = { start, end };
  return {
    view, level: levelFor(view, WIDTH), span: trace.span, width: WIDTH, height: layout.height, ratio: 1, top: 0,
    items: layout.items, covered: trace.span, looked: [], nameOf: (id) => trace.names[id], pauses: [],
  };
}

// A word of a made-up strip says which row it is of and how many steps from the trace's start.
const FAR = 1 << 20;
const wordAt = (row: number, step: number) => row * FAR + (step % FAR);

function wideOf(columns: Columns): Uint16Array {
  const list: number[] = [];
  if (columns.kind === 0) wideEntries(columns, 5, list);
  return Uint16Array.from(list);
}

function fill(cache: TileCache, level: number, first: number, last: number): void {
  for (let index = first; index <= last; index++)
    for (const { row, columns } of decodeTiles(bruteTiles(trace, level, index, trace.rows.map((each) => each.id))).rows) {
      const sheet = Uint32Array.from({ length: BANDS * STEPS }, (_, at) => wordAt(row, index * STEPS + (at % STEPS)));
      cache.put({ level, index, row, columns, wide: wideOf(columns), sheet, line: 0, even: false, partial: false, revision: 0, cost: 1 });
    }
}

/** How many pixels of rows show a step of `level`; each must be where that step is. */
function showsSteps(log: Call[], picture: LanesPicture, level: number): number {
  const { start, end } = picture.view;
  let shown = 0;
  for (const placed of layout.placed.values()) {
    const put = log.find((call) => call.what === "pixels" && call.args[1] === placed.y && call.words?.length === placed.h * WIDTH);
    if (placed.row.kind === "value" || !put?.words) continue;
    for (let at = 0; at < put.words.length; at++) {
      if (put.words[at] === GROUND) continue;
      const step = Math.floor((start + (((at % WIDTH) + 0.5) / WIDTH) * (end - start)) / stepOf(level));
      const off = put.words[at] - wordAt(placed.row.id, step);
      if (Math.abs(off) > 2) throw new Error(`row ${placed.row.id}: pixel ${at % WIDTH} is ${off} steps off`);
      shown++;
    }
  }
  return shown;
}

/** Every other pixel black, the others see-through. */
function checkered(_x: number, _y: number, width: number, height: number): { data: Uint8ClampedArray } {
  return { data: Uint8ClampedArray.from({ length: 4 * width * height }, (_, at) => (at % 8 === 3 ? 255 : 0)) };
}

beforeAll(() => {
  const tile = { getContext: () => recordingPen().pen };
  vi.stubGlobal("document", { createElement: () => tile });
});

function drawn(picture: LanesPicture, cache: TileCache): Call[] {
  const { pen, log } = recordingPen();
  drawLanes(pen, cache, picture, inks);
  return log;
}

describe.each([[0, 40e6], [3e6, 9e6], [12345678, 12545678], [20e6, 20000900]])("lanes from %d to %d", (start, end) => {
  const picture = pictureOf(start, end);
  const cache = new TileCache(1e9);
  const grid = tilesOf(picture.view, picture.level, trace.span);
  fill(cache, picture.level, grid.first, grid.last);
  it("shows at each pixel of a row the step that lies there", () => {
    const log = drawn(picture, cache);
    expect(showsSteps(log, picture, picture.level)).toBeGreaterThan(WIDTH);
    expect(log.findIndex((call) => call.what === "rect" && call.ink === inks.back)).toBeLessThan(log.findIndex((call) => call.what === "pixels"));
  });
  it("labels each wide slice once, where it is", () => {
    const texts = drawn(picture, cache).filter((call) => call.what === "text");
    const px = (ns: number) => ((ns - start) / (end - start)) * WIDTH;
    let wide = 0;
    for (const placed of layout.placed.values()) {
      if (placed.row.kind === "value" || placed.h < 11) continue;
      for (const slice of trace.rows[placed.row.id].slices) {
        const [x0, x1] = [Math.max(0, px(slice.start)), Math.min(WIDTH, px(slice.end))];
        if (x1 - x0 < 60) continue;
        wide++;
        const near = texts.filter((call) => call.args[1] >= placed.y && call.args[1] <= placed.y + placed.h && call.args[0] > x0 && call.args[0] < x1 - 2);
        expect(near.length, `${trace.names[slice.name]} at ${x0}`).toBe(1);
        expect(Math.abs(near[0].args[0] - x0 - 4)).toBeLessThanOrEqual(2.5);
        expect(near[0].text?.replace("…", "")).toBe(trace.names[slice.name].slice(0, near[0].text?.replace("…", "").length));
      }
    }
    expect(wide).toBeGreaterThan(0);
  });
});

it("lays patterns over what is wide, and over two thirds of what is a guess", () => {
  const sees = { ...recordingPen().pen, scale() {}, beginPath() {}, moveTo() {}, lineTo() {}, stroke() {}, getImageData: checkered } as unknown;
  vi.stubGlobal("document", { createElement: () => ({ getContext: () => sees }) });
  const picture = { ...pictureOf(3e6, 9e6), ratio: 2 };
  const cache = new TileCache(1e9);
  const grid = tilesOf(picture.view, picture.level, trace.span);
  fill(cache, picture.level, grid.first, grid.last);
  const log = drawn(picture, cache);
  const seen = { patterned: 0, guessed: 0, plain: 0 };
  for (const placed of layout.placed.values()) {
    const height = Math.round(placed.h * 2);
    const words = log.find((call) => call.what === "pixels" && call.args[1] === Math.round(placed.y * 2) && call.words?.length === height * 2 * WIDTH)?.words;
    if (placed.row.kind === "value" || !words) continue;
    const dark = (line: number, x: number) => (words[line * 2 * WIDTH + x] & 0xffffff) === 0;
    for (const slice of trace.rows[placed.row.id].slices) {
      const [x0, x1] = [slice.start, slice.end].map((ns) => Math.min(2 * WIDTH, Math.max(0, ((ns - 3e6) / 6e6) * 2 * WIDTH)));
      if (x1 - x0 < 64) continue;
      const middle = 2 * Math.round((x0 + x1) / 4);
      const patterned = patternOf(slice.cls) !== "";
      expect([dark(height - 1, middle), dark(height - 1, middle + 1)], `class ${slice.cls}`).toEqual([patterned, false]);
      expect(dark(0, middle)).toBe(patterned && !isGuess(slice.cls));
      seen[!patterned ? "plain" : isGuess(slice.cls) ? "guessed" : "patterned"]++;
    }
  }
  expect(Math.min(seen.patterned, seen.plain), JSON.stringify(seen)).toBeGreaterThan(0);
});

it("draws the coarser tile while the finer one is on its way, and a faint line when there is none", () => {
  const picture = pictureOf(3e6, 9e6);
  const cache = new TileCache(1e9);
  const bare = drawn(picture, cache);
  expect(bare.filter((call) => call.what === "pixels").length).toBe(0);
  expect(bare.some((call) => call.what === "rect" && call.ink === "faint")).toBe(true);
  fill(cache, picture.level + 3, 0, 1);
  expect(showsSteps(drawn(picture, cache), picture, picture.level + 3)).toBeGreaterThan(WIDTH);
});

it("shades all lanes for as long as a pause lasts, and not for the coarser step that it lies in", () => {
  const picture = { ...pictureOf(0, 40e6), pauses: trace.lanes.filter((lane) => lane.kind === "pause").flatMap((lane) => lane.rows.map((row) => row.id)) };
  const cache = new TileCache(1e9);
  const shades = () => drawn(picture, cache).filter((call) => call.what === "rect" && call.ink === inks.pause).map((call) => call.args[2]);
  fill(cache, picture.level + 6, 0, 0);
  expect(shades()).toEqual([]);
  fill(cache, picture.level, 0, 0);
  const longest = Math.max(...picture.pauses.flatMap((row) => trace.rows[row].slices.map((slice) => slice.end - slice.start)));
  expect(shades().length).toBeGreaterThan(0);
  expect(Math.max(...shades())).toBeLessThanOrEqual(((longest + 2 * stepOf(picture.level)) / 40e6) * WIDTH);
});

it("leaves the ground where there is no tile", () => {
  const [before, picture] = [pictureOf(12345678, 12545678), pictureOf(3e6, 9e6)];
  const cache = new TileCache(1e9);
  const grid = tilesOf(before.view, before.level, trace.span);
  fill(cache, before.level, grid.first, grid.last);
  expect(showsSteps(drawn(before, cache), before, before.level)).toBeGreaterThan(WIDTH);
  fill(cache, picture.level, 0, 0);
  const log = drawn(picture, cache);
  expect(showsSteps(log, picture, picture.level)).toBeGreaterThan(WIDTH);
  const end = Math.round(((STEPS * stepOf(picture.level) - 3e6) / 6e6) * WIDTH);
  const beyond = log.flatMap((call) => (call.what === "pixels" && call.words?.[0] !== undefined ? [...call.words].filter((_, at) => at % WIDTH >= end) : []));
  expect(new Set(beyond)).toEqual(new Set([GROUND]));
});

it("hatches all of a lane where its events were lost", () => {
  const gap = makeTrace({ span: 40e6, threads: 3, idle: 0, gap: [10e6, 20e6] });
  const placed = new LaneLayout(gap.lanes, gap.programs, gap.span, { pinned: new Set(), hidden: new Set(), open: new Map(), deep: new Set(), filter: "" });
  const picture = { ...pictureOf(0, 40e6), items: placed.items };
  const cache = new TileCache(1e9);
  const row = gap.rows[gap.rows.length - 1].id;
  const [{ columns }] = decodeTiles(bruteTiles(gap, picture.level, 0, [row])).rows;
  cache.put({ level: picture.level, index: 0, row, columns, wide: new Uint16Array(0), sheet: new Uint32Array(BANDS * STEPS), line: 0, even: true, partial: false, revision: 0, cost: 1 });
  const lane = placed.byLane.get(1);
  const hatched = drawn(picture, cache).filter((call) => call.what === "rect" && call.ink === "pattern" && call.args[3] === (lane?.h ?? 0) - 1);
  expect(hatched.length).toBe(1);
  expect(hatched[0].args[1]).toBe(lane?.y);
  expect(Math.abs(hatched[0].args[0] - 250)).toBeLessThan(2);
  expect(Math.abs(hatched[0].args[2] - 250)).toBeLessThan(3);
});

it("veils what is not indexed", () => {
  const log = drawn({ ...pictureOf(0, 40e6), covered: 10e6 }, new TileCache(1));
  expect(log.some((call) => call.what === "rect" && call.args[0] === 250 && call.args[2] === 750)).toBe(true);
});

it("veils thinly what is not indexed but shown, since somebody looks there", () => {
  const looked: [number, number][] = [[30e6, 35e6], [16e6, 24e6], [5e6, 8e6]];
  const log = drawn({ ...pictureOf(0, 40e6), covered: 10e6, looked }, new TileCache(1));
  const veils = log.filter((call) => call.what === "rect" && call.args[0] >= 250).map((call) => [call.args[0], call.args[2]]);
  expect(veils.slice(-5)).toEqual([[250, 150], [400, 200], [600, 150], [750, 125], [875, 125]]);
});

it("paints strips as the slices lie", () => {
  const row = trace.rows.find((each) => each.kind === "state");
  if (!row) throw new Error("no state row");
  const level = 12;
  const [{ columns }] = decodeTiles(bruteTiles(trace, level, 1, [row.id])).rows;
  if (columns.kind !== 0) throw new Error("no slices");
  const words = new Uint32Array(STEPS * BANDS);
  expect(bandsOf(columns, "state")).toBe(BANDS);
  paintStrip(words.fill(GROUND), 0, columns, "state", "light", GROUND, BANDS);
  for (let at = 0; at < STEPS; at++) {
    const middle = (STEPS + at + 0.5) * stepOf(level);
    const slice = row.slices.find((each) => each.start <= middle && each.end > middle);
    if (!slice || slice.end - slice.start < 4 * stepOf(level)) continue;
    const edge = Math.min(middle - slice.start, slice.end - middle);
    if (edge < 2 * stepOf(level)) continue;
    const [r, g, b] = colourOf(slice.cls, slice.name, "light");
    const painted = [0, 1, 2].map((band) => words[band * STEPS + at]);
    const full = ((255 << 24) | (b << 16) | (g << 8) | r) >>> 0;
    expect(painted).toEqual([4, 2, 1].map((third) => (thirdsOf(slice.cls) & third ? full : GROUND)));
  }
  expect(lookColour("state", 1, 5, "light")).toEqual(colourOf(1, 0, "light"));
});

it("lays what is faint over the ground", () => {
  const one = { kind: 0 as const, n: 1, name: new Uint32Array(1), slice: new Uint32Array(1), count: Uint32Array.of(9), start: Uint16Array.of(5), len: Uint16Array.of(1), cls: Uint8Array.of(8), busy: Uint8Array.of(0) };
  const words = new Uint32Array(STEPS + 1).fill(wordOf("#204060"));
  expect([bandsOf(one, "slices"), bandsOf({ ...one, cls: Uint8Array.of(22) }, "cpu")]).toEqual([1, BANDS]);
  paintStrip(words, 0, one, "slices", "light", words[0], 1);
  const mixed = colourOf(8, 0, "light").map((value, at) => Math.round((value * 88 + [0x20, 0x40, 0x60][at] * 167) / 255));
  expect(words[5]).toBe(wordOf(`rgb(${mixed.join(" ")})`));
  expect([words[6], words[STEPS]]).toEqual([words[4], words[4]]);
});

it("gives each third of a row its line, however high the row is, and all of it one where they are the same", () => {
  for (const h of [3, 8, 15]) {
    const pixels = new RowPixels({ width: 10, height: h, data: new Uint8ClampedArray(40 * h) } as unknown as ImageData);
    const sheet = Uint32Array.from({ length: 2 * BANDS * STEPS }, (_, at) => at);
    const tile = { sheet, line: BANDS, even: false } as Tile;
    pixels.strip(tile, { x0: -5, x1: 5, from: 0, to: 10 });
    pixels.strip({ ...tile, even: true }, { x0: 5, x1: 25, from: 100, to: 110 });
    for (let y = 0; y < h; y++) {
      const third = Math.floor(((y + 0.5) * 3) / h);
      expect([...pixels.words.subarray(10 * y, 10 * y + 10)]).toEqual([5, 6, 7, 8, 9].map((step) => (BANDS + third) * STEPS + step).concat([100, 100, 101, 101, 102].map((step) => BANDS * STEPS + step)));
    }
  }
});

it("lays a pattern over a part of a row, where it goes on from the row above, and leaves what it does not cover", () => {
  const [width, height, size] = [20, 7, 5];
  const mask = { size, kept: Uint16Array.from({ length: size * size }, (_, at) => (at % 3 ? 256 - 10 * at : 256)) };
  for (const [x0, x1, line, top] of [[3, 17, 0, 0], [0, 20, 2, 13], [8, 9, 6, -9]]) {
    const pixels = new RowPixels({ width, height, data: new Uint8ClampedArray(4 * width * height) } as unknown as ImageData);
    pixels.words.fill(0xffc0ff07);
    pixels.hatch(mask, x0, x1, line, top);
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++) {
        const covered = x >= x0 && x < x1 && y >= line;
        const part = covered ? mask.kept[((top + y + 10 * size) % size) * size + (x % size)] : 256;
        const bytes = [0x07, 0xff, 0xc0].map((each) => Math.floor((each * part) / 256)).concat(0xff);
        const word = pixels.words[y * width + x];
        expect([word & 255, (word >>> 8) & 255, (word >>> 16) & 255, word >>> 24], `${x} ${y}`).toEqual(bytes);
      }
  }
});

it("draws the overlay: selection, range with its length, arrows from one to the other", () => {
  const { pen, log } = recordingPen();
  const view = { start: 0, end: 1000e3 };
  drawOverlay(pen, {
    view, width: WIDTH, height: 400, ratio: 1, hover: null, selected: { start: 100e3, end: 200e3, y: 50, h: 15 }, hits: [{ start: 0, end: 1, y: 9, h: 10 }, { start: 300e3, end: 400e3, y: 9, h: 10 }],
    range: { start: 500e3, end: 750e3 }, cursor: 5e3, arrows: [{ fromNs: 100e3, fromY: 20, toNs: 300e3, toY: 90, kind: "wake", direct: true }], notes: [{ ns: 900e3, text: "here" }],
  }, inks);
  expect(log).toContainEqual({ what: "frame", ink: "text", args: [100, 50, 100, 15] });
  expect(log).toContainEqual({ what: "frame", ink: "hit", args: [300, 9, 100, 10] });
  expect(log.filter((call) => call.what === "text").map((call) => call.text)).toEqual(["here", "250 µs"]);
  expect(log.filter((call) => call.what === "curve").map((call) => call.args.slice(-2))).toEqual([[300, 89], [300, 89]]);
});

it("draws ticks whose labels do not touch, and a minimap with the window where the view is", () => {
  const { pen, log } = recordingPen();
  drawAxis(pen, 300, 28, 1, [0, 20, 100, 295].map((x) => ({ ns: x, x, label: "0.12 s", major: true })), inks);
  expect(log.filter((call) => call.what === "text").map((call) => call.args[0])).toEqual([2, 82, 262]);
  const bins = { bins: 4, running: [0, 1, 2, 0], waiting: [1, 0, 0, 0], lost: [0, 0, 0, 1] };
  const map = recordingPen();
  const picture = { width: 400, height: 46, ratio: 1, view: { start: 25, end: 50 }, span: 100, minimap: bins, hits: [0, 0, 3, 0], notes: [], range: null, covered: 100 };
  const ground = {} as HTMLCanvasElement;
  drawMinimapGround(map.pen, picture, inks);
  drawMinimap(map.pen, picture, ground, inks);
  expect(map.log).toContainEqual({ what: "image", ink: "", args: [0, 0, 400, 46], image: ground });
  expect(map.log.filter((call) => call.what === "area").map((call) => call.args[0])).toEqual([100, 200, 0, 300]);
  expect(map.log).toContainEqual({ what: "rect", ink: "hit", args: [200, 39, 100, 7] });
  expect(map.log.filter((call) => call.what === "frame")[0].args.slice(0, 1)).toEqual([100.75]);
});
