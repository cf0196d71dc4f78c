// A few pictures of the page beside those that were looked at and found good: CT_BLESS=1 takes them anew.
// They are compared small, so that another machine's letters make no difference and a lane that is missing does.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { makeTrace } from "../fake/made_trace";
import { startFake, type Fake } from "../fake/server";
import { launch, open, settled } from "./browser";

const FOLDER = fileURLToPath(new URL("../pictures/", import.meta.url));
const BLESS = process.env.CT_BLESS === "1";
const MEAN = 5; // of 255, over all of it
const WORST = 120; // in any one of its points
let browser: Browser;
let fake: Fake;

beforeAll(async () => {
  fake = await startFake({ trace: makeTrace({ span: 60e6, threads: 6, idle: 3, gap: [24e6, 26e6] }), lost: 7 });
  browser = await launch();
});
afterAll(async () => {
  await browser?.close();
  await fake?.close();
});

/** The page an eighth as wide and as high, as PNG: halved three times, so that each point is the mean of sixty-four. */
async function picture(page: Page): Promise<string> {
  const shot = (await page.screenshot({ animations: "disabled" })).toString("base64");
  const blank = await browser.newPage();
  const small = await blank.evaluate(async (data) => {
    const image = new Image();
    image.src = `data:image/png;base64,${data}`;
    await image.decode();
    let from: HTMLImageElement | HTMLCanvasElement = image;
    for (let i = 0; i < 3; i++) {
      const half = document.createElement("canvas");
      [half.width, half.height] = [from.width / 2, from.height / 2];
      half.getContext("2d")?.drawImage(from, 0, 0, half.width, half.height);
      from = half;
    }
    return (from as HTMLCanvasElement).toDataURL("image/png").split(",")[1];
  }, shot);
  await blank.close();
  return small;
}

/** What two pictures differ by, on average and at the worst point; decoded by the browser, which knows PNG. */
async function difference(pictures: string[]): Promise<{ mean: number; worst: number }> {
  const page = await browser.newPage();
  const apart = await page.evaluate(async (list) => {
    const pixels = await Promise.all(list.map(async (data) => {
      const image = new Image();
      image.src = `data:image/png;base64,${data}`;
      await image.decode();
      const pen = new OffscreenCanvas(image.width, image.height).getContext("2d");
      if (!pen) throw new Error("no canvas");
      pen.drawImage(image, 0, 0);
      return pen.getImageData(0, 0, image.width, image.height).data;
    }));
    const all = [...pixels[0]].map((value, at) => Math.abs(value - (pixels[1][at] ?? 255)));
    return { mean: all.reduce((sum, value) => sum + value, 0) / all.length, worst: Math.max(...all.map((value, at) => (at % 4 === 3 ? 0 : value))), same: pixels[0].length === pixels[1].length };
  }, pictures);
  await page.close();
  return apart.same ? apart : { mean: 255, worst: 255 };
}

it.each([
  ["timeline-light", "#timeline?v=20000000-32000000", { colorScheme: "light" }],
  ["timeline-dark", "#timeline?v=20000000-32000000&r=22000000-25000000", { colorScheme: "dark" }],
  ["overview-light", "#overview", { colorScheme: "light" }],
  ["timeline-narrow", "#timeline", { colorScheme: "dark", viewport: { width: 400, height: 800 } }],
] as const)("looks as it did: %s", async (name, hash, options) => {
  const at = await open(browser, `${fake.url}?token=${fake.token}${hash}`, options);
  await settled(at.page);
  await at.page.locator(name === "overview-light" ? ".longest" : hash.includes("r=") ? ".range-flame .flame" : ".heads").waitFor();
  await settled(at.page);
  const now = await picture(at.page);
  await at.close();
  const file = `${FOLDER}${name}.png`;
  if (BLESS) {
    mkdirSync(FOLDER, { recursive: true });
    writeFileSync(file, Buffer.from(now, "base64"));
  }
  expect(existsSync(file), `${name}.png is missing: CT_BLESS=1 takes it`).toBe(true);
  const { mean, worst } = await difference([readFileSync(file).toString("base64"), now]);
  console.log(`${name}: ${mean.toFixed(2)} on average, ${worst} at the worst point, of 255`);
  expect(mean, "on average").toBeLessThan(MEAN);
  expect(worst, "at the worst point").toBeLessThan(WORST);
});
