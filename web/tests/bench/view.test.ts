// How soon the page shows a trace, how long its frames take, what it keeps, and how it is over a slow line.  Prints NAME VALUE UNIT.

import { readdirSync, readFileSync, rmSync } from "node:fs";
import { basename, dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { launch, open, settled } from "../e2e/browser";
import { view, type Viewing } from "../e2e/recorded";
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

const WINDOW_MS = 1500; // that a new window of the browser has to do with itself

/** Seconds from the start of `ctrace view` to the first lanes on the page, in a browser that is open. */
async function paint(): Promise<[number, Viewing]> {
  const at = await open(browser, "about:blank", SIZE);
  await at.page.waitForTimeout(WINDOW_MS);
  const began = Date.now();
  const viewing = await start();
  await at.page.goto(viewing.url);
  await at.page.waitForFunction(() => window.ctraceFirst !== undefined, undefined, { timeout: 120_000, polling: 20 });
  const painted = await at.page.evaluate(() => performance.timeOrigin + (window.ctraceFirst ?? 0));
  await at.page.waitForFunction(async () => !document.querySelector(".indexing") && window.ctraceIdle?.(), undefined, { timeout: 600_000, polling: 200 });
  expect(at.errors).toEqual([]);
  await at.close();
  return [(painted - began) / 1000, viewing];
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
  const [cold, first] = await paint();
  say("view.paint_cold", cold, "s");
  await first.close();
  const warm: number[] = [];
  for (let i = 0; i < 3; i++) {
    const [took, viewing] = await paint();
    warm.push(took);
    await viewing.close();
  }
  say("view.paint_warm", Math.min(...warm), "s");
  const parts = readdirSync(`${DIST}assets`).map((name) => gzipSync(readFileSync(`${DIST}assets/${name}`), { level: 9 }).length);
  say("view.page", parts.reduce((sum, each) => sum + each, 0) / 1000, "kB");
});

it("moves", async () => {
  const viewing = await start();
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
