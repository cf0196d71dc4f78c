// The timeline by mouse, by touch and by keys alone.

import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { startFake, type Fake } from "../fake/server";
import { addressed, launch, open, settled, viewOf, type Watched } from "./browser";

declare global {
  interface Window {
    ctraceSeen?: { box: DOMRect; pixels: number[]; header: boolean };
  }
}

let browser: Browser;
let fake: Fake;
let watched: Watched;
let page: Page;
const VIEW = "v=100000000-112000000";

beforeAll(async () => {
  fake = await startFake();
  browser = await launch();
});
afterAll(async () => {
  await browser?.close();
  await fake?.close();
});
afterEach(async () => {
  expect(watched.outside).toEqual([]);
  expect(watched.errors).toEqual([]);
  await watched.close();
});

async function start(hash = `#timeline?${VIEW}`, options = {}): Promise<void> {
  watched = await open(browser, `${fake.url}?token=${fake.token}${hash}`, options);
  page = watched.page;
  await settled(page);
}

/** The middle of a lane's row on the page, at a time. */
async function pointAt(lane: string, row: number, ns: number): Promise<{ x: number; y: number }> {
  const head = await page.locator(".head.lane", { hasText: lane }).first().boundingBox();
  const canvas = await page.locator(".over").boundingBox();
  const [from, to] = await viewNow();
  if (!head || !canvas) throw new Error(`no lane ${lane}`);
  return { x: canvas.x + ((ns - from) / (to - from)) * canvas.width, y: head.y + 4 + (row ? 10 + (row - 1) * 16 + 7 : 4) };
}

const viewNow = () => viewOf(page);

function wideSlice(lane: string, row: number, cls: number, waker = false) {
  const at = fake.trace.lanes.find((each) => each.name === lane);
  const slices = fake.trace.rows[at?.rows[row].id ?? 0].slices;
  const found = slices.find((slice) => slice.cls === cls && slice.start > 100e6 && slice.end < 112e6 && slice.end - slice.start > 3e5 && (!waker || slice.waker));
  if (!found) throw new Error(`no slice of class ${cls} in ${lane}`);
  return { ...found, middle: (found.start + found.end) / 2, index: slices.indexOf(found) };
}

describe("at first", () => {
  it("shows lanes before the worker of later tiles is loaded, from what was asked for before the page was laid out", async () => {
    await start("#timeline");
    const { first, asked, worker } = await page.evaluate(() => {
      const entries = performance.getEntriesByType("resource");
      const starts = (part: string) => entries.filter((each) => each.name.includes(part)).map((each) => each.startTime);
      return { first: window.ctraceFirst ?? NaN, asked: starts("/api/tiles"), worker: starts("tile_worker") };
    });
    expect(asked.length).toBeGreaterThan(0);
    for (const at of asked) expect(at).toBeLessThan(first);
    expect(worker.length).toBe(1);
    expect(worker[0]).toBeGreaterThan(first);
  });
  it("paints the lanes alone, before there is a page around them, and exactly where they stay; then finer", async () => {
    watched = await open(browser, "about:blank");
    page = watched.page;
    const levels: number[] = [];
    let letFiner = () => undefined as void;
    const finer = new Promise<void>((resolve) => { letFiner = resolve; });
    await page.context().route("**/api/tiles?*", async (route) => {
      levels.push(Number(new URL(route.request().url()).searchParams.get("l")));
      if (levels[levels.length - 1] !== levels[0]) await finer;
      await route.continue();
    });
    await page.addInitScript(() => {
      // However slow this machine is: who waits for long is shown the page without lanes first.
      const later = window.setTimeout;
      const patient = (run: TimerHandler, ms = 0) => (ms >= 200 && !document.querySelector("header") ? 0 : later(run, ms));
      Object.assign(window, { setTimeout: patient });
      const watch = new MutationObserver(() => {
        const picture = document.querySelector<HTMLCanvasElement>(".first-picture");
        const pixels = picture?.getContext("2d")?.getImageData(0, 0, picture.width, picture.height).data;
        if (!picture || !pixels) return;
        watch.disconnect();
        window.ctraceSeen = { box: picture.getBoundingClientRect().toJSON() as DOMRect, pixels: [...new Uint32Array(pixels.buffer)], header: document.querySelector("header") !== null };
      });
      watch.observe(document, { childList: true, subtree: true });
    });
    const compare = () => page.evaluate(() => {
      const canvas = document.querySelector<HTMLCanvasElement>(".main");
      const pixels = canvas?.getContext("2d")?.getImageData(0, 0, canvas.width, canvas.height).data;
      const seen = window.ctraceSeen;
      if (!canvas || !pixels || !seen) throw new Error("no first picture");
      const now = new Uint32Array(pixels.buffer);
      const same = seen.pixels.filter((word, at) => word === now[at]).length / now.length;
      return { seen: { box: seen.box, header: seen.header, left: document.querySelectorAll(".first-picture").length }, box: canvas.getBoundingClientRect().toJSON() as DOMRect, same };
    });
    await page.goto(`${fake.url}?token=${fake.token}`);
    await page.waitForFunction(() => (window.ctraceFrames?.().length ?? 0) > 0 && !document.querySelector(".first-picture"));
    const { seen, box, same } = await compare();
    letFiner();
    await settled(page);
    expect(levels).toContain(levels[0] - 2);
    expect((await compare()).same).toBeLessThan(same);
    expect(seen.header).toBe(false);
    expect(seen.left).toBe(0);
    expect(seen.box).toEqual(box);
    expect(same).toBeGreaterThan(0.9); // but for the names, which come with the page
  });
});

describe("by mouse", () => {
  it("says on hover what a slice is, and everything about it after a click", async () => {
    await start();
    const lane = ["db-1", "db-2", "db-3", "main"].find((name) => { try { wideSlice(name, 1, 3, true); return true; } catch { return false; } }) ?? "";
    const slice = wideSlice(lane, 1, 3, true);
    const { x, y } = await pointAt(lane, 1, slice.middle);
    await page.mouse.move(x, y);
    await page.locator(".hover-card", { hasText: "ended by" }).waitFor();
    await page.mouse.click(x, y);
    await page.locator(".panel h3", { hasText: "pthread_mutex_lock" }).waitFor();
    const panel = await page.locator(".panel").innerText();
    expect(panel).toContain("Ended by");
    expect(panel).toContain("server.c:120");
    expect(panel).toContain(lane);
    await page.locator(".peer .link").first().click();
    await page.waitForFunction((name) => !document.querySelector(".panel .facts")?.textContent?.includes(name), `Lane${lane}`);
    await page.keyboard.press("Escape");
    await expect.poll(() => page.locator(".panel").count(), { timeout: 10_000 }).toBe(0);
  });
  it("moves by dragging, zooms where the pointer is, goes back", async () => {
    await start();
    const box = await page.locator(".over").boundingBox();
    if (!box) throw new Error("no canvas");
    await page.mouse.move(box.x + 600, box.y + 200);
    await page.mouse.down();
    await page.mouse.move(box.x + 600 - box.width / 4, box.y + 200, { steps: 4 });
    await page.mouse.up();
    const moved = await viewNow();
    expect(moved[0]).toBeCloseTo(103e6, -5);
    await page.keyboard.down("Control");
    await page.mouse.move(box.x + box.width / 2, box.y + 200);
    await page.mouse.wheel(0, -300);
    await page.keyboard.up("Control");
    const zoomed = await viewNow();
    expect((zoomed[0] + zoomed[1]) / 2).toBeCloseTo((moved[0] + moved[1]) / 2, -5);
    expect(zoomed[1] - zoomed[0]).toBeLessThan(8e6);
    await page.getByRole("button", { name: "All" }).click();
    expect(await viewNow()).toEqual([0, fake.trace.span]);
    await page.keyboard.press("Alt+ArrowLeft");
    (await viewNow()).forEach((ns, at) => expect(ns).toBeCloseTo(zoomed[at], -1));
  });
  it("adds up a range that was dragged over the axis", async () => {
    await start();
    const box = await page.locator(".axis canvas").boundingBox();
    if (!box) throw new Error("no axis");
    await page.mouse.move(box.x + box.width * 0.25, box.y + 10);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.5, box.y + 10, { steps: 3 });
    await page.mouse.up();
    await page.locator(".range table tbody tr").first().waitFor();
    await expect.poll(() => page.locator(".range .facts").innerText(), { timeout: 10_000 }).toContain("3 ms");
    expect(await addressed(page, /r=10[23]\d+-10[56]\d+/)).toContain("token=");
  });
  it("drags the window of the minimap", async () => {
    await start();
    const box = await page.locator(".minimap canvas").boundingBox();
    if (!box) throw new Error("no minimap");
    await page.mouse.move(box.x + box.width * (106 / 400), box.y + 20);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * (206 / 400), box.y + 20, { steps: 4 });
    await page.mouse.up();
    const [from, to] = await viewNow();
    expect(from).toBeCloseTo(200e6, -6);
    expect(to - from).toBeCloseTo(12e6, -5);
  });
  it("folds, pins, hides and filters lanes, and the address keeps it", async () => {
    await start();
    await page.getByRole("button", { name: /io-worker/ }).click();
    await page.locator(".head.lane", { hasText: "io-worker-4" }).hover();
    await page.getByRole("button", { name: "Pin io-worker-4" }).click();
    await page.locator(".head.heading", { hasText: "Pinned" }).waitFor();
    await page.locator(".head.lane", { hasText: "db-1" }).hover();
    await page.getByRole("button", { name: "Hide db-1" }).click();
    await expect.poll(() => page.locator(".head.lane", { hasText: "db-1" }).count(), { timeout: 10_000 }).toBe(0);
    await addressed(page, /pin=\d+.*hide=\d+/);
    const url = page.url();
    await watched.close();
    watched = await open(browser, url);
    page = watched.page;
    await settled(page);
    await page.locator(".head.heading", { hasText: "Pinned" }).waitFor();
    await page.getByRole("button", { name: "Show 1 hidden" }).click();
    await page.getByLabel("Filter lanes").fill("db-*");
    await page.waitForFunction(() => document.querySelectorAll(".head.lane").length === 4); // and the pinned one
  });
});

describe("by keys", () => {
  it("moves, zooms, goes to a time by the clock", async () => {
    await start("#timeline");
    for (const key of ["w", "w", "w"]) await page.keyboard.press(key);
    const [from, to] = await viewNow();
    expect(to - from).toBeCloseTo(fake.trace.span * 0.343, -4);
    await page.keyboard.press("d");
    expect((await viewNow())[0]).toBeGreaterThan(from);
    await page.keyboard.press("g");
    await page.getByRole("textbox", { name: "Time" }).fill("nonsense");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").waitFor();
    await page.getByRole("textbox", { name: "Time" }).fill("12:03:44.370");
    await page.keyboard.press("Enter");
    const at = await viewNow();
    expect((at[0] + at[1]) / 2).toBeCloseTo(250e6, -6);
    await page.keyboard.press("c");
    await expect.poll(() => page.locator(".clock").innerText(), { timeout: 10_000 }).toBe("2025-11-22");
    await expect.poll(() => fake.kept["/api/settings"], { timeout: 10_000 }).toEqual({ theme: "system", clock: "wall" });
    fake.kept = {};
  });
  it("searches, walks the hits, steps through slices of a name, follows a flow", async () => {
    await start("#timeline");
    await page.keyboard.press("/");
    await page.keyboard.type("openat");
    await page.keyboard.press("Enter");
    await page.locator(".results table tbody tr").first().waitFor();
    await page.keyboard.press("Enter");
    await page.locator(".panel h3", { hasText: "openat" }).waitFor();
    const first = /s=[\d.]+/.exec(await addressed(page, /s=\d/))?.[0] ?? "";
    await page.keyboard.press("Enter");
    await addressed(page, new RegExp(`s=(?!${first.slice(2).replace(".", "[.]")}(&|$))`));
    await page.locator(".over").focus();
    await page.keyboard.press("f");
    const [from, to] = await viewNow();
    expect(to - from).toBeLessThan(2e6);
    const start_ = await page.locator(".facts dd").nth(1).innerText();
    await page.keyboard.press(".");
    await page.waitForFunction((text) => document.querySelectorAll(".facts dd")[1]?.textContent !== text, start_);
    await expect.poll(() => page.locator(".spoken").innerText(), { timeout: 10_000 }).toContain("openat");
  });
  it("selects a slice without a pointer, and the ones above and below", async () => {
    await start();
    await page.keyboard.press(".");
    await page.locator(".panel h3").waitFor();
    const first = await page.locator(".spoken").innerText();
    for (let i = 0; i < 4; i++) await page.keyboard.press("Shift+ArrowDown");
    await page.waitForFunction((text) => document.querySelector(".spoken")?.textContent !== text, first);
    await page.keyboard.press("Shift+ArrowUp");
    await page.keyboard.press("Escape");
    await expect.poll(() => page.locator(".panel").count(), { timeout: 10_000 }).toBe(0);
  });
  it("lists the keys, sets a bookmark that is kept", async () => {
    await start();
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keys" }).waitFor();
    await page.keyboard.press("Escape");
    await page.keyboard.press("m");
    await page.getByLabel("Text").fill("here it stalls");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Notes" }).click();
    await page.getByRole("button", { name: "here it stalls", exact: true }).waitFor();
    expect(fake.kept["/api/notes"]).toEqual({ notes: [{ ns: 106e6, text: "here it stalls" }] });
    fake.kept = {};
  });
  it("reaches every control with Tab, and sees where it is", async () => {
    await start();
    const seen = new Set<string>();
    for (let i = 0; i < 60; i++) {
      await page.keyboard.press("Tab");
      seen.add(await page.evaluate(() => document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.textContent ?? ""));
    }
    for (const name of ["To the page", "Timeline", "Filter lanes", "Search", "Flows", "The part of the trace in view"]) expect([...seen]).toContain(name);
    expect([...seen].some((name) => name.startsWith("Timeline. Arrows"))).toBe(true);
  });
});

describe("by touch, at 400 px", () => {
  it("fits without scrolling sideways, and a tap selects", async () => {
    await start(`#timeline?${VIEW}`, { viewport: { width: 400, height: 780 }, hasTouch: true, isMobile: false });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(400);
    const cut = await page.locator(".head.heading .title, .head.tall .title").evaluateAll((titles) => titles.filter((each) => each.scrollWidth > each.clientWidth).map((each) => each.textContent));
    expect(cut).toEqual([]);
    const slice = wideSlice("main", 1, 3);
    const { x, y } = await pointAt("main", 1, slice.middle);
    await page.touchscreen.tap(x, y);
    await page.locator(".panel h3", { hasText: "pthread_mutex_lock" }).waitFor();
    const panel = await page.locator(".panel").boundingBox();
    expect(panel?.width).toBe(400);
  });
});
