// node phone.mjs URL... prints, as a JSON array, what the index of the debug server looks like on a phone, and what its forms get.
// SCREENSHOT=FILE.png in the environment takes the picture of the last one.
import { readFile } from 'node:fs/promises';
import { withPage } from './browser.mjs';

const width = 360, height = 740;        // a small one

function measure() {
  const box = (e) => e.getBoundingClientRect();
  const aims = [...document.querySelectorAll('a, button, input:not([type=hidden])')];
  const texts = [...document.querySelectorAll('body *')].filter((e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()));

  return {
    wide: document.documentElement.scrollWidth,
    outside: aims.filter((e) => box(e).right > window.innerWidth || box(e).left < 0).map((e) => e.outerHTML),
    low: aims.filter((e) => box(e).height < 24).map((e) => e.outerHTML),
    small: texts.filter((e) => parseFloat(getComputedStyle(e).fontSize) < 13).map((e) => e.outerHTML),
    links: aims.filter((e) => e.tagName === 'A').map((e) => e.getAttribute('href')),
  };
}

async function look(page, url) {
  const errors = [], files = {};

  page.on('pageerror', (e) => errors.push(String(e)));
  page.on('console', (m) => m.type() === 'error' && !m.location().url.endsWith('/favicon.ico') && errors.push(m.text()));
  await page.setViewportSize({ width, height });
  await page.goto(url);
  const report = { url, errors, files, ...await page.evaluate(measure) };

  for (const name of ['profile', 'trace']) {
    const form = page.locator(`form[action="${name}"]`);

    await form.locator('input[name=seconds]').fill('1');
    const [download] = await Promise.all([page.waitForEvent('download', { timeout: 60000 }), form.locator('button').click()]);
    files[name] = { name: download.suggestedFilename(), size: (await readFile(await download.path())).length };
  }
  return report;
}

console.log(JSON.stringify(await withPage({}, async (page) => {
  const reports = [];

  for (const url of process.argv.slice(2))
    reports.push(await look(page, url));
  if (process.env.SCREENSHOT)
    await page.screenshot({ path: process.env.SCREENSHOT, fullPage: true });
  return reports;
}), null, 1));
