// What one measures and arranges a timeline with: titles, ruler, panels, hits, and all of it by keys.

import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { makeTrace } from "../fake/made_trace";
import { startFake, type Fake } from "../fake/server";
import { duration } from "../../src/timeline/time";
import { launch, open, settled, viewOf, type Watched } from "./browser";

const [FROM, TO] = [20e6, 32e6];
let browser: Browser;
let fake: Fake;
let watched: Watched;
let page: Page;

beforeAll(async () => {
  fake = await startFake({ trace: makeTrace({ span: 60e6, threads: 5, idle: 2 }) });
  browser = await launch();
});
afterAll(async () => {
  await browser?.close();
  await fake?.close();
});
afterEach(async () => {
  expect(watched.errors).toEqual([]);
  await watched.close();
});

async function start(hash = `#timeline?v=${FROM}-${TO}`): Promise<void> {
  watched = await open(browser, `${fake.url}?token=${fake.token}${hash}`);
  page = watched.page;
  await settled(page);
}

/** Where a slice of "main" is: in its state row (0) or its first row of calls (1). */
async function slice(row: 0 | 1, cls: number) {
  const lane = fake.trace.lanes[0];
  const slices = fake.trace.rows[lane.rows[row].id].slices;
  const found = slices.find((each) => each.cls === cls && each.start > FROM && each.end < TO && each.end - each.start > 1e5);
  const head = await page.locator(".head.lane", { hasText: "main" }).first().boundingBox();
  const canvas = await page.locator(".over").boundingBox();
  if (!found || !head || !canvas) throw new Error(`no slice of class ${cls}`);
  const x = (ns: number) => canvas.x + ((ns - FROM) / (TO - FROM)) * canvas.width;
  return { ...found, x0: x(found.start), x1: x(found.end), middle: x((found.start + found.end) / 2), y: head.y + (row ? 21 : 8) };
}

async function drag(from: { x: number; y: number }, to: { x: number; y: number }): Promise<void> {
  await page.mouse.move(from.x, from.y);
  await page.mouse.down();
  await page.mouse.move(to.x, to.y, { steps: 3 });
  await page.mouse.up();
}

const facts = () => page.locator(".range .facts dd").allInnerTexts();

it("makes the titles wider by mouse and by keys, and keeps it", async () => {
  await start();
  const width = async () => (await page.locator(".heads").boundingBox())?.width ?? 0;
  const before = await width();
  const edge = await page.locator(".divider").boundingBox();
  if (!edge) throw new Error("no divider");
  await drag({ x: edge.x + 4, y: 400 }, { x: edge.x + 104, y: 400 });
  expect(await width()).toBe(before + 100);
  expect((await page.locator(".over").boundingBox())?.x).toBe(before + 100);
  expect(fake.kept["/api/settings"]).toMatchObject({ heads: before + 100 });
  await page.reload();
  await settled(page);
  await expect.poll(width).toBe(before + 100);
  await page.locator(".divider").focus();
  await page.keyboard.press("ArrowLeft");
  expect(await width()).toBe(before + 84);
  await page.locator(".divider").dblclick();
  expect(await width()).toBe(before);
  fake.kept = {};
});

it("measures with a ruler that holds on to edges, unless Alt is down", async () => {
  await start();
  const at = await slice(1, 3);
  await page.keyboard.down("Shift");
  await drag({ x: at.x0 + 3, y: at.y }, { x: at.x1 - 4, y: at.y });
  const step = 2 ** 14;
  const range = async () => /r=(\d+)-(\d+)/.exec(decodeURIComponent(page.url()))?.slice(1).map(Number) ?? [];
  const off = async () => (await range()).map((ns, i) => Math.abs(ns - [at.start, at.end][i])); // of the last moment of the drag
  await expect.poll(async () => Math.max(...(await off()), (await range()).length === 2 ? 0 : Infinity)).toBeLessThanOrEqual(step);
  await page.keyboard.press("Escape");
  await page.keyboard.down("Alt");
  await drag({ x: at.x0 + 5, y: at.y }, { x: at.x1 - 5, y: at.y });
  await page.keyboard.up("Alt");
  await page.keyboard.up("Shift");
  await expect.poll(async () => (await range())[0] - at.start).toBeGreaterThan(3 * step);
});

it("has a flame graph of the range in the panel", async () => {
  await start(`#timeline?v=${FROM}-${TO}&r=22000000-26000000`);
  await page.locator(".range-flame .flame button", { hasText: "parse_request" }).waitFor();
  expect(fake.asked.some((url) => url.startsWith("/api/flame") && url.includes("from=22000000&to=26000000"))).toBe(true);
  await page.locator(".range-flame").getByRole("button", { name: "Allocations" }).click();
  await expect.poll(() => fake.asked.some((url) => url.includes("kind=alloc&from=22000000&to=26000000"))).toBe(true);
  await page.locator(".range-flame .flame button", { hasText: "serve" }).first().click();
  await page.locator(".range-flame").getByRole("button", { name: "Reset zoom" }).waitFor();
  expect((await facts())[0]).toBe("4 ms");
});

it("sorts hits, and fetches the longest where there are too many", async () => {
  await start("#timeline");
  await page.keyboard.press("/");
  fake.options.most = 20;
  await page.keyboard.type("pthread_mutex_lock");
  await page.keyboard.press("Enter");
  const durations = page.locator(".results tbody td:nth-child(4)");
  await durations.first().waitFor();
  await page.getByRole("button", { name: "Duration" }).click();
  await page.locator("th[aria-sort=descending]", { hasText: "Duration" }).waitFor();
  const waits = fake.trace.rows.filter((row) => row.kind !== "state").flatMap((row) => row.slices.filter((each) => each.cls === 3));
  const longest = duration(Math.max(...waits.map((each) => each.end - each.start)));
  expect(await durations.count()).toBe(20);
  expect(await durations.first().innerText()).not.toBe(longest);
  await page.getByRole("button", { name: "longest" }).click();
  await expect.poll(() => durations.first().innerText()).toBe(longest);
});

it("shows where a thread began to run and where it stopped", async () => {
  await start();
  const at = await slice(0, 1);
  await page.mouse.click(at.middle, at.y);
  await page.locator(".panel h4", { hasText: "Stack at the start" }).waitFor();
  await page.locator(".panel h4", { hasText: "Stack at the end" }).waitFor();
  expect(await page.locator(".panel .place").allInnerTexts()).toEqual(["server.c:120", "server.c:210", "main.c:33", "server.c:210", "main.c:33"]);
});

it("pans sideways by trackpad, and goes back and forward", async () => {
  await start();
  const canvas = await page.locator(".over").boundingBox();
  if (!canvas) throw new Error("no canvas");
  await page.mouse.move(canvas.x + 400, canvas.y + 200);
  await page.mouse.wheel(canvas.width / 4, 0);
  await expect.poll(async () => (await viewOf(page))[0]).toBeCloseTo(FROM + 3e6, -4);
  const panned = await viewOf(page);
  await page.keyboard.press("0");
  await expect.poll(() => viewOf(page)).toEqual([0, 60e6]);
  await page.keyboard.press("Alt+ArrowLeft");
  await expect.poll(async () => (await viewOf(page))[0]).toBeCloseTo(panned[0], -1);
  await page.keyboard.press("Alt+ArrowRight");
  await expect.poll(() => viewOf(page)).toEqual([0, 60e6]);
});

it("pins, hides and folds without a pointer", async () => {
  await start();
  await page.keyboard.press(".");
  await page.locator(".panel h3").waitFor();
  await page.keyboard.press("p");
  await page.locator(".head.heading", { hasText: "Pinned" }).waitFor();
  await page.keyboard.press("p");
  await expect.poll(() => page.locator(".head.heading", { hasText: "Pinned" }).count()).toBe(0);
  await page.keyboard.press("h");
  await page.getByRole("button", { name: "Show 1 hidden" }).press("Enter");
  await page.getByRole("button", { name: "Pin db-1" }).press("Enter");
  await page.locator(".head.heading", { hasText: "Pinned" }).waitFor();
  const heading = page.locator(".head.heading button", { hasText: "server" });
  await heading.press("Enter");
  expect(await heading.getAttribute("aria-expanded")).toBe("false");
});
