// The page on a real `ctrace view` over a recorded program: a convoy of threads behind one lock.

import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { launch, open, settled } from "./browser";
import { hasBuild, record, remove, view, type Viewing } from "./recorded";

let browser: Browser;
let viewing: Viewing;
let folder = "";

describe.skipIf(!hasBuild)("a recorded convoy", () => {
  beforeAll(async () => {
    folder = record("convoy");
    viewing = await view(folder, "convoy.trace");
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    await viewing?.close();
    if (folder) remove(folder);
  });

  it("begins with what the page brings, and asks for it only when it does not", async () => {
    const at = await open(browser, `${viewing.url}#timeline`);
    const { page } = at;
    const asked = () => page.evaluate(() => performance.getEntriesByType("resource").map((each) => new URL(each.name).pathname));
    await settled(page);
    await page.waitForFunction(() => !document.querySelector(".indexing"));
    await page.reload();
    await settled(page);
    expect((await asked()).filter((path) => /start|early/.test(path))).toEqual([]);
    expect(await page.locator("#start").count()).toBe(0); // read, and gone
    expect(await page.locator(".head.lane").count()).toBeGreaterThan(3);
    const wrong = await open(browser, viewing.url.replace(/token=.*/, "token=wrong"));
    await wrong.page.getByText("token in this page's address").waitFor();
    await wrong.close();
    expect(at.errors).toEqual([]);
    await at.close();
  });

  it("names the longest wait and who ended it, and shows both", async () => {
    const at = await open(browser, `${viewing.url}#overview`);
    const { page } = at;
    const row = page.locator("table[aria-label='Longest waits'] tbody tr", { hasText: "mutex" }).first();
    await row.waitFor();
    expect(await row.innerText()).toMatch(/server-\d[\s\S]*wait for mutex[\s\S]*server-\d/);
    await row.click();
    await settled(page);
    await page.locator(".panel h4", { hasText: "Ended by" }).waitFor();
    await expect.poll(() => page.locator(".panel").innerText(), { timeout: 10_000 }).toMatch(/convoy\.c:\d+/);
    await page.locator(".peer .link").first().click();
    await settled(page);
    expect(at.errors).toEqual([]);
    expect(at.outside).toEqual([]);
    await at.close();
  });

  it("searches, sums up a range, shows threads and a flame graph of waits", async () => {
    const at = await open(browser, `${viewing.url}#timeline`);
    const { page } = at;
    await settled(page);
    await page.keyboard.press("/");
    await page.keyboard.type("state:lock");
    await page.keyboard.press("Enter");
    await page.locator(".results tbody tr").first().waitFor();
    const box = await page.locator(".axis canvas").boundingBox();
    if (!box) throw new Error("no axis");
    await page.mouse.move(box.x + box.width * 0.2, box.y + 10);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.8, box.y + 10, { steps: 3 });
    await page.mouse.up();
    await page.locator(".range tbody tr").first().waitFor();
    await page.getByRole("tab", { name: "Threads" }).click();
    await page.locator("tbody tr", { hasText: "serve" }).waitFor();
    await page.getByRole("tab", { name: "Flame graph" }).click();
    await page.getByRole("button", { name: "Waiting" }).click();
    await page.locator(".flame button", { hasText: "serve" }).first().waitFor();
    expect(at.errors).toEqual([]);
    expect(at.outside).toEqual([]);
    await at.close();
  });

  it("says so when the index is damaged", async () => {
    const copy = mkdtempSync(join(tmpdir(), "ctrace-page-"));
    copyFileSync(join(folder, "convoy.trace"), join(copy, "convoy.trace"));
    const first = await view(copy, "convoy.trace");
    const index = join(copy, "convoy.trace.idx");
    await expect.poll(() => existsSync(index), { timeout: 10_000 }).toBe(true);
    await first.close();
    const bytes = readFileSync(index);
    bytes.fill(0x5a, 4096 + 64, 4096 + 512); // behind the head: what the rows hold
    writeFileSync(index, bytes);
    const again = await view(copy, "convoy.trace");
    const at = await open(browser, `${again.url}#timeline`);
    await at.page.getByText("was damaged and is removed: open the trace again").waitFor();
    await at.close();
    await again.close();
    remove(copy);
  });

  it("leaves notes that it cannot read as they are, and says so", async () => {
    const notes = join(folder, "convoy.trace.notes.json");
    writeFileSync(notes, '{"notes":[{"ns":1,"text":"hours of work"},]}');
    const at = await open(browser, `${viewing.url}#timeline`);
    const { page } = at;
    await page.getByText(/^There are no bookmarks: .*convoy\.trace\.notes\.json is damaged: it is no JSON object\.$/).waitFor();
    await settled(page);
    await page.keyboard.press("m");
    await page.getByLabel("Text").fill("one more");
    await page.keyboard.press("Enter");
    await page.getByText(/^The bookmark is not kept: .* is damaged/).waitFor();
    expect(readFileSync(notes, "utf8")).toContain("hours of work");
    rmSync(notes);
    await page.keyboard.press("m");
    await page.getByLabel("Text").fill("and another");
    await page.keyboard.press("Enter");
    await page.getByText("The bookmark is not kept").waitFor({ state: "detached" });
    rmSync(notes);
    await at.close();
  });

  it("keeps a bookmark, and says so when the server is killed", async () => {
    const at = await open(browser, `${viewing.url}#timeline`);
    const { page } = at;
    await settled(page);
    await page.keyboard.press("m");
    await page.getByLabel("Text").fill("the convoy");
    await page.keyboard.press("Enter");
    await page.waitForTimeout(300);
    await page.reload();
    await settled(page);
    await page.getByRole("button", { name: "Notes" }).click();
    await page.getByRole("button", { name: "the convoy", exact: true }).waitFor();
    viewing.child.kill("SIGKILL");
    await page.keyboard.press("w");
    await page.keyboard.press("w");
    await page.getByText("ctrace view no longer answers").waitFor();
    await expect.poll(() => page.locator(".head.lane").count(), { timeout: 10_000 }).toBeGreaterThan(1);
    await at.close();
  });
});

it.skipIf(!hasBuild)("says what ended the longest wait where no thread waited for another", async () => {
  const here = record("alone", ["sleep", "0.3"]);
  const there = await view(here, "alone.trace");
  const chrome = await launch();
  const at = await open(chrome, `${there.url}#overview`);
  const row = at.page.locator("table[aria-label='Longest waits'] tbody tr").first();
  await row.waitFor();
  expect(await row.innerText()).toMatch(/sleep[\s\S]*sleep[\s\S]*\d+ ms[\s\S]*nobody: its time was up/);
  await row.click();
  await at.page.locator(".panel section", { hasText: "Ended by" }).getByText("nobody: its time was up").waitFor();
  expect(at.errors).toEqual([]);
  await chrome.close();
  await there.close();
  remove(here);
});
