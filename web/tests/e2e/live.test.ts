// The page on a trace that is still being written: it follows the end until it is told not to, and ends as any other.

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launch, open, settled, viewOf, type Watched } from "./browser";
import { hasBuild, recordOn, remove, view, type Recording, type Viewing } from "./recorded";

const AFTER_MS = 1200; // a look of the page and then some: what has not moved by then stands still
const PATIENCE = { timeout: 15_000 };
let browser: Browser;
let recording: Recording;
let viewing: Viewing;
let watched: Watched;
let page: Page;

const pressed = () => page.locator("header .live").getAttribute("aria-pressed");
const grown = (than: number) => expect.poll(async () => (await viewOf(page))[1], PATIENCE).toBeGreaterThan(than);

/** What the timeline shows of the lanes, as pixels. */
const picture = () => page.locator("canvas.main").evaluate((canvas) => (canvas as HTMLCanvasElement).toDataURL());

describe.skipIf(!hasBuild)("a trace that is still being written", () => {
  beforeAll(async () => {
    recording = await recordOn();
    viewing = await view(recording.folder, "live.trace");
    browser = await launch();
    watched = await open(browser, `${viewing.url}#timeline`);
    page = watched.page;
    await page.locator("header .live", { hasText: "Live" }).waitFor();
  });
  afterAll(async () => {
    await watched?.close();
    await browser?.close();
    await viewing?.close();
    await recording?.end();
    if (recording) remove(recording.folder);
  });

  it("is followed to its end, by all of the timeline", async () => {
    await page.locator(".head.lane", { hasText: "sh" }).first().waitFor();
    await settled(page);
    const [[, before], shown] = [await viewOf(page), await picture()];
    expect(await pressed()).toBe("true");
    await grown(before);
    expect((await viewOf(page))[0]).toBe(0);
    await expect.poll(picture, PATIENCE).not.toBe(shown);
    expect(await page.locator("header .live .age").innerText()).toMatch(/old$/);
    expect(await page.locator(".indexing").count()).toBe(0);
  });

  it("shows a process that begins while it is looked at", async () => {
    const headings = page.locator(".head.heading", { hasText: /^.?\s*(sh|true) \d+/ });
    const before = await headings.count();
    recording.say("child\n");
    await expect.poll(() => headings.count(), PATIENCE).toBeGreaterThan(before);
  });

  it("is let go and followed again by its button and by L, of any zoom", async () => {
    await page.keyboard.press("l");
    expect(await pressed()).toBe("false");
    const [stood, length] = await viewOf(page);
    await page.waitForTimeout(AFTER_MS);
    expect(await viewOf(page)).toEqual([stood, length]);
    for (let i = 0; i < 3; i++) await page.keyboard.press("w"); // closer, in the middle: away from the end
    const [start, end] = await viewOf(page);
    await page.locator("header .live").click();
    expect(await pressed()).toBe("true");
    const followed = await viewOf(page);
    expect(followed[0]).toBeGreaterThan(start);
    expect(followed[1] - followed[0]).toBeCloseTo(end - start, -2);
    await grown(followed[1]);
    const later = await viewOf(page);
    expect(later[1] - later[0]).toBeCloseTo(end - start, -2);
    await page.keyboard.press("a"); // who looks elsewhere is not carried away
    const [aside] = await viewOf(page);
    await page.waitForTimeout(AFTER_MS);
    expect((await viewOf(page))[0]).toBe(aside);
    expect(await pressed()).toBe("false");
    await page.keyboard.press("l");
    expect(await pressed()).toBe("true");
    await page.keyboard.press("0");
  });

  it("ends as a trace that is whole", async () => {
    expect(await recording.end()).toBe(0);
    await page.locator("header .live").waitFor({ state: "detached", timeout: 15_000 });
    await settled(page);
    const [start, end] = await viewOf(page);
    await page.waitForTimeout(AFTER_MS);
    expect(await viewOf(page)).toEqual([start, end]);
    expect(await page.locator(".banner").count()).toBe(0);
    await page.keyboard.press("l"); // means nothing any more
    expect(await page.locator("header .live").count()).toBe(0);
    await page.getByRole("tab", { name: "Overview" }).click();
    await page.locator(".bars .title", { hasText: "sh" }).first().waitFor();
    expect(watched.errors).toEqual([]);
    expect(watched.outside).toEqual([]);
  });
});
