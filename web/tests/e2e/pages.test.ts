// The pages of words and numbers, a profile, and what is said when something is wrong.

import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startFake, type FakeOptions } from "../fake/server";
import { makeTrace, rowKey } from "../fake/made_trace";
import { launch, open, settled, type Watched } from "./browser";

let browser: Browser;
const trace = makeTrace({ span: 60e6, threads: 5, idle: 2 });

beforeAll(async () => {
  browser = await launch();
});
afterAll(async () => {
  await browser?.close();
});

async function on(options: FakeOptions, hash: string, act: (at: Watched, fake: Awaited<ReturnType<typeof startFake>>) => Promise<void>, errors = false): Promise<void> {
  const fake = await startFake({ trace, ...options });
  const at = await open(browser, `${fake.url}?token=${fake.token}${hash}`);
  try {
    await act(at, fake);
    expect(at.outside).toEqual([]);
    if (!errors) expect(at.errors).toEqual([]);
  } finally {
    await at.close();
    await fake.close();
  }
}

describe("pages", () => {
  it("name the longest wait and who ended it, and lead there", () =>
    on({}, "#overview", async ({ page }) => {
      const row = page.locator("table[aria-label='Longest waits'] tbody tr").first();
      await row.waitFor();
      expect(await row.innerText()).toContain("pthread_mutex_lock");
      await row.click();
      await settled(page);
      await page.locator(".panel h3", { hasText: "pthread_mutex_lock" }).waitFor();
    }));
  it("say who ended a wait that no thread ended", () => {
    const rows = trace.rows.map((row) => ({ row: row.id, slice: row.slices.findIndex((slice) => slice.cls === 4 && !slice.waker) }));
    const wait = rows.find((each) => each.slice >= 0);
    return on({}, `#timeline?s=${rowKey(wait?.row ?? -1)}.${wait?.slice}`, async ({ page }) => {
      await page.locator(".panel section", { hasText: "Ended by" }).getByText("nobody: its time was up").waitFor();
    });
  });
  it("keep the tracer's own short pauses to a sentence", () =>
    on({}, "#overview", async ({ page }) => {
      const card = page.locator(".card", { hasText: "Pauses" });
      await card.getByText(/ctrace itself: \d+ µs at the longest\./).waitFor();
      await card.getByRole("button", { name: "allocator: brk" }).first().waitFor();
      expect(await card.getByRole("button", { name: "tracer" }).count()).toBe(0);
    }));
  it("sort threads and filter the timeline by their start routine", () =>
    on({}, "#threads", async ({ page }) => {
      await page.locator("tbody tr").first().waitFor();
      await page.getByRole("button", { name: /^Threads/ }).last().click();
      await page.locator("th[aria-sort=descending]", { hasText: "Threads" }).waitFor();
      await page.locator("tbody tr", { hasText: "db_worker" }).click();
      await settled(page);
      await expect.poll(() => page.getByLabel("Filter lanes").inputValue(), { timeout: 10_000 }).toBe("db_worker");
    }));
  it("zoom and search the flame graph by mouse and by keys", () =>
    on({}, "#flame", async ({ page }) => {
      await page.locator("[data-node='2']").click();
      await expect.poll(() => page.locator("[data-node='3']").count(), { timeout: 10_000 }).toBe(0);
      await page.keyboard.press("ArrowDown");
      await expect.poll(() => page.evaluate(() => document.activeElement?.textContent), { timeout: 10_000 }).toBe("compress");
      await page.getByRole("button", { name: "Reset zoom" }).click();
      await page.getByLabel("Find functions").fill("/^walk$/");
      await expect.poll(() => page.locator(".flame .hit").count(), { timeout: 10_000 }).toBe(2);
      await page.getByText("26 ms, 26 %").waitFor();
      await page.getByRole("tab", { name: "Top" }).click();
      await expect.poll(() => page.locator("tbody tr").count(), { timeout: 10_000 }).toBe(1);
    }));
  it("show a profile alone, with its sample types", () =>
    on({ profile: true }, "", async ({ page }) => {
      await page.getByRole("button", { name: "samples" }).click();
      await expect.poll(() => page.getByRole("tab").allInnerTexts(), { timeout: 10_000 }).toEqual(["Flame graph", "Top"]);
      await page.locator(".flame button").first().waitFor();
    }));
});

describe("a sentence, never a blank page", () => {
  it("when the server goes, and back to work when it is back", () =>
    on({}, "#timeline", async ({ page }, fake) => {
      await settled(page);
      const port = Number(new URL(fake.url).port);
      await fake.close();
      await page.keyboard.press("w");
      await page.keyboard.press("w");
      await page.getByText("ctrace view no longer answers").waitFor();
      const again = await startFake({ trace }, port);
      await page.getByText("ctrace view no longer answers").waitFor({ state: "detached" });
      await again.close();
    }, true));
  it("with a wrong token", () =>
    on({}, "", async ({ page }, fake) => {
      await page.goto("about:blank");
      await page.goto(`${fake.url}?token=wrong`);
      await page.getByText("token in this page's address").waitFor();
    }, true));
  it("about a damaged trace, of which the rest is shown", () =>
    on({ damage: "The trace is damaged at byte 4096; what came before it is shown." }, "#timeline", async ({ page }) => {
      await page.getByText("damaged at byte 4096").waitFor();
      await settled(page);
    }));
  it("about an empty trace", () =>
    on({ events: 0 }, "#timeline", async ({ page }) => {
      await page.getByText("holds no events").waitFor();
    }));
  it("about lost events", () =>
    on({ lost: 42 }, "#overview", async ({ page }) => {
      await page.getByText("42 events were lost").waitFor();
    }));
  it("while it is being indexed, with how far it is", () =>
    on({ part: 0.4 }, "#timeline", async ({ page }, fake) => {
      await page.getByRole("progressbar", { name: "Indexing" }).waitFor();
      await expect.poll(() => page.getByRole("progressbar").getAttribute("aria-valuenow"), { timeout: 10_000 }).toBe("40");
      fake.options.part = 1;
      await page.getByRole("progressbar").waitFor({ state: "detached" });
      await settled(page);
    }));
  it("as a whole when that has ended, though it found no lane and no name any more", () =>
    on({ part: 0.4, revision: 7, events: 1000 }, "#timeline", async ({ page }, fake) => {
      await page.locator("header .name", { hasText: /1\s000 events/ }).waitFor();
      const overviews = () => fake.asked.filter((each) => each.startsWith("/api/overview")).length;
      await expect.poll(overviews, { timeout: 10_000 }).toBeGreaterThan(0);
      const before = overviews();
      Object.assign(fake.options, { part: 1, events: 3000 });
      await page.locator("header .name", { hasText: /3\s000 events/ }).waitFor();
      await expect.poll(overviews, { timeout: 10_000 }).toBeGreaterThan(before);
    }));
});
