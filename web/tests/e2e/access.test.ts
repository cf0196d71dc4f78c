// What axe finds on each page, light and dark, wide and narrow.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { makeTrace, rowKey } from "../fake/made_trace";
import { startFake, type Fake } from "../fake/server";
import { launch, open, settled } from "./browser";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf-8");
// Where, what is waited for, and what is typed first.
const PLACES: [string, string, string[]?][] = [
  [`#timeline?s=${rowKey(2)}.3`, ".panel h3"],
  ["#timeline?r=10000000-20000000", ".range-flame .flame"],
  ["#timeline?q=read", ".results tbody tr", ["/", "Enter"]],
  ["#timeline", "dialog", ["?"]],
  ["#timeline", "dialog", ["g"]],
  ["#overview", ".longest"],
  ["#threads", "tbody tr"],
  ["#flame", ".flame button"],
  ["#top", "tbody tr"],
];
let browser: Browser;
let fake: Fake;

beforeAll(async () => {
  fake = await startFake({ trace: makeTrace({ span: 60e6, threads: 5, idle: 2 }), lost: 3 });
  browser = await launch();
});
afterAll(async () => {
  await browser?.close();
  await fake?.close();
});

type Found = { id: string; impact: string | null; nodes: { html: string; failureSummary?: string }[] };

it.each([["light", 1280], ["dark", 1280], ["light", 400], ["dark", 400]] as const)("finds nothing serious, %s at %d px", async (colorScheme, width) => {
  const at = await open(browser, `${fake.url}?token=${fake.token}`, { colorScheme, viewport: { width, height: 800 }, bypassCSP: true });
  for (const [place, shown, keys] of PLACES) {
    await at.page.goto("about:blank");
    await at.page.goto(`${fake.url}?token=${fake.token}${place}`);
    await settled(at.page);
    for (const key of keys ?? []) await at.page.keyboard.press(key);
    await at.page.locator(shown).first().waitFor();
    await at.page.evaluate(AXE);
    const found = await at.page.evaluate(async () => {
      const { axe } = window as unknown as { axe: { run: (options: object) => Promise<{ violations: Found[] }> } };
      return (await axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "best-practice"] })).violations;
    });
    const serious = found.filter((each) => each.impact === "serious" || each.impact === "critical");
    expect(serious.map((each) => `${place}: ${each.id}: ${each.nodes.map((node) => node.html.slice(0, 120)).join(" | ")}`)).toEqual([]);
  }
  await at.close();
});
