// A browser on the page: Debian's chromium, headless, watched for requests elsewhere and for errors in its console.

import { existsSync } from "node:fs";
import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";

const PATHS = [process.env.CHROMIUM ?? "", "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

export function chromiumPath(): string {
  return PATHS.find((path) => path && existsSync(path)) ?? "";
}

export async function launch(more: string[] = []): Promise<Browser> {
  return chromium.launch({
    executablePath: chromiumPath(),
    args: ["--no-sandbox", "--disable-gpu", "--font-render-hinting=none", "--disable-lcd-text", "--force-device-scale-factor=1", ...more],
  });
}

export type Watched = { page: Page; outside: string[]; errors: string[]; close: () => Promise<void> };

export async function open(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Watched> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, reducedMotion: "reduce", ...options });
  const page = await context.newPage();
  const outside: string[] = [];
  const errors: string[] = [];
  page.on("request", (request) => {
    if (new URL(request.url()).hostname !== "127.0.0.1") outside.push(request.url());
  });
  page.on("console", (message) => {
    if (message.type() === "error") errors.push(message.text());
  });
  page.on("pageerror", (error) => errors.push(error.message));
  await page.goto(url);
  return { page, outside, errors, close: () => context.close() };
}

/** The view in ns once it has come to rest. */
export async function viewOf(page: Page): Promise<[number, number]> {
  await page.waitForFunction(() => window.ctraceGlides?.() === false);
  return page.evaluate(() => window.ctraceView?.() ?? [0, 0]);
}

/** Waits until the address says what the page shows. */
export async function addressed(page: Page, pattern: RegExp): Promise<string> {
  for (let tries = 0; tries < 100; tries++) {
    const url = decodeURIComponent(page.url());
    if (pattern.test(url)) return url;
    await page.waitForTimeout(50);
  }
  throw new Error(`the address is ${page.url()}, not ${pattern}`);
}

/** Waits until the timeline has all it asked for and has drawn it. */
export async function settled(page: Page): Promise<void> {
  await page.waitForFunction(() => (window as unknown as { ctraceIdle?: () => boolean }).ctraceIdle?.() === true, undefined, { timeout: 15000 });
}
