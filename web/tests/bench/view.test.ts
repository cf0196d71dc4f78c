// How soon the page shows a trace, how long its frames take, what it keeps, and how it is over a slow line.  Prints NAME VALUE UNIT.

import { readdirSync, readFileSync, rmSync } from "node:fs";
import { basename, dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Progress } from "../../src/api/answers";
import { launch, open, settled } from "../e2e/browser";
import { view, type Viewing } from "../e2e/recorded";
import { barePage } from "./bare_page";
import { slowLine } from "./slow_line";

const TRACE = process.env.BENCH_TRACE ?? "";
const DIST = fileURLToPath(new URL("../../dist/", import.meta.url));
const PANS = 1000;
const SIZE = { viewport: { width: 1920, height: 1000 } };
let browser: Browser;

beforeAll(async () => {
  browser = await launch(["--disable-frame-rate-limit", "--disable-gpu-vsync"]);
});
afterAll(async () => {
  await browser?.close();
});

const say = (name: string, value: number, unit: string) => process.stdout.write(`${name} ${Number(value.toPrecision(4))} ${unit}\n`);

function p95(list: number[]): number {
  return [...list].sort((a, b) => a - b)[Math.floor(list.length * 0.95)] ?? NaN;
}

const start = (more: Record<string, string> = {}): Promise<Viewing> => view(dirname(TRACE), basename(TRACE), more);

const ASK_MS = 200;
const WINDOW_MS = 1500; // that a new window of the browser has to do with itself

/** Waits until the server has the whole index: what it does beside an answer until then is not what an answer takes. */
async function indexed(viewing: Viewing): Promise<void> {
  const { origin, searchParams } = new URL(viewing.url);
  const ask = { headers: { Authorization: `Bearer ${searchParams.get("token")}` } };
  for (;;) {
    const { state } = (await (await fetch(`${origin}/api/progress`, ask)).json()) as Progress;
    if (state === "ready") return;
    expect(state).toBe("building");
    await new Promise((later) => setTimeout(later, ASK_MS));
  }
}

/** Seconds from `begin`, which answers with an address, to the first picture of that page in a browser that is open. */
async function paint(begin: () => Promise<string>, then: (page: Page) => Promise<void>): Promise<number> {
  const at = await open(browser, "about:blank", SIZE);
  await at.page.waitForTimeout(WINDOW_MS);
  const began = Date.now();
  await at.page.goto(await begin());
  await at.page.waitForFunction(() => window.ctraceFirst !== undefined, undefined, { timeout: 120_000, polling: 20 });
  const painted = await at.page.evaluate(() => performance.timeOrigin + (window.ctraceFirst ?? 0));
  await then(at.page);
  expect(at.errors).toEqual([]);
  await at.close();
  return (painted - began) / 1000;
}

/** The same from the start of `ctrace view`, which has all of its index at the end. */
async function paintTrace(): Promise<number> {
  let viewing: Viewing | undefined;
  const begin = async () => (viewing = await start()).url;
  const took = await paint(begin, async (page) => {
    if (viewing) await indexed(viewing);
    await settled(page);
  });
  await viewing?.close();
  return took;
}

async function least(of: () => Promise<number>): Promise<number> {
  const took: number[] = [];
  for (let i = 0; i < 3; i++) took.push(await of());
  return Math.min(...took);
}

/** Frame times while the page is moved by wheel, one step a frame. */
async function move(page: Page, steps: number, zoom: boolean): Promise<number[]> {
  return page.evaluate(async ([count, closer]) => {
    const canvas = document.querySelector(".over");
    const frame = () => new Promise<number>((resolve) => requestAnimationFrame(() => resolve(performance.now())));
    const times: number[] = [];
    let last = await frame();
    for (let i = 0; i < count; i++) {
      const turn = i % 100 < 50 ? 1 : -1;
      const how = closer ? { ctrlKey: true, deltaY: turn * -12 } : { deltaX: turn * 24 };
      canvas?.dispatchEvent(new WheelEvent("wheel", { ...how, clientX: 900, clientY: 500, bubbles: true, cancelable: true }));
      const now = await frame();
      times.push(now - last);
      last = now;
    }
    return times;
  }, [steps, zoom] as const);
}

async function heap(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send("HeapProfiler.collectGarbage");
  const { metrics } = await session.send("Performance.enable").then(() => session.send("Performance.getMetrics"));
  return (metrics.find((each) => each.name === "JSHeapUsedSize")?.value ?? NaN) / 1e6;
}

it("paints", async () => {
  for (const name of readdirSync(dirname(TRACE))) if (name.startsWith(`${basename(TRACE)}.idx`)) rmSync(`${dirname(TRACE)}/${name}`);
  say("view.paint_cold", await paintTrace(), "s");
  say("view.paint_warm", await least(paintTrace), "s");
  const bare = await barePage();
  say("view.paint_bare", await least(() => paint(async () => bare.url, async () => undefined)), "s");
  bare.close();
  const parts = readdirSync(`${DIST}assets`).map((name) => gzipSync(readFileSync(`${DIST}assets/${name}`), { level: 9 }).length);
  say("view.page", parts.reduce((sum, each) => sum + each, 0) / 1000, "kB");
});

it("moves", async () => {
  const viewing = await start();
  await indexed(viewing);
  const at = await open(browser, `${viewing.url}#timeline?v=300000000-500000000`, SIZE); // the least trace lasts a second
  const { page } = at;
  await settled(page);
  await page.waitForFunction(() => document.querySelectorAll(".head.lane").length > 20, undefined, { timeout: 60_000 }); // as many as fit
  await page.evaluate(() => document.querySelector(".head.fold button[aria-expanded=false]")?.dispatchEvent(new MouseEvent("click", { bubbles: true })));
  await settled(page);
  say("view.lanes", await page.evaluate(() => document.querySelectorAll(".head.lane").length), "lanes");
  await move(page, 100, false); // what is compiled lazily
  await page.evaluate(() => window.ctraceFrames?.().splice(0));
  const before = await heap(page);
  const pans = await move(page, PANS, false);
  say("view.frame_pan_p95", p95(pans), "ms");
  say("view.frame_pan_median", [...pans].sort((a, b) => a - b)[pans.length >> 1], "ms");
  const zooms = await move(page, 300, true);
  say("view.frame_zoom_p95", p95(zooms), "ms");
  say("view.frame_draw_p95", p95(await page.evaluate(() => window.ctraceFrames?.() ?? [])), "ms");
  await settled(page);
  await move(page, PANS, false);
  say("view.pans_memory", (await heap(page)) - before, "MB");
  expect(at.errors).toEqual([]);
  await at.close();
  await viewing.close();
});

it("is of use over 200 kB/s", async () => {
  const viewing = await start({ SSH_CONNECTION: "10.0.0.1 1 10.0.0.2 22" }); // tiles are packed then
  await indexed(viewing);
  const line = await slowLine(viewing.url, 200_000, 20);
  const at = await open(browser, line.url, SIZE);
  const { page } = at;
  await page.waitForFunction(() => window.ctraceFirst !== undefined, undefined, { timeout: 120_000, polling: 20 });
  say("view.line_paint", (await page.evaluate(() => window.ctraceFirst ?? NaN)) / 1000, "s");
  await settled(page);
  say("view.line_bytes", line.bytes() / 1000, "kB");
  const [before, bytes] = [Date.now(), line.bytes()];
  for (let i = 0; i < 6; i++) await page.keyboard.press("w");
  await settled(page);
  say("view.line_zoom", (Date.now() - before) / 1000, "s");
  say("view.line_zoom_bytes", (line.bytes() - bytes) / 1000, "kB");
  expect(at.errors).toEqual([]);
  await at.close();
  line.close();
  await viewing.close();
});
