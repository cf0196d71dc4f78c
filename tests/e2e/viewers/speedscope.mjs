// node speedscope.mjs TRACE... prints, as a JSON array, what speedscope's release page made of each (.json or .json.gz).
// SCREENSHOT=FILE.png in the environment takes the picture of the last one.
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { withPage } from './browser.mjs';

const traces = process.argv.slice(2);
const screenshot = process.env.SCREENSHOT;
const release = join(dirname(createRequire(import.meta.url).resolve('speedscope/package.json')), 'dist/release');
const routes = { '/speedscope/': release };

traces.forEach((trace, i) => { routes[`/trace/${i}/${basename(trace)}`] = trace; });

// The page answers Control+S with its own file format: all that it read.
async function importTrace(page, base, path) {
  const errors = [];
  const onPageError = (e) => errors.push(String(e));
  const onConsole = (m) => m.type() === 'error' && errors.push(m.text());

  page.on('pageerror', onPageError);
  page.on('console', onConsole);
  await page.goto('about:blank');
  await page.goto(`${base}/speedscope/index.html#profileURL=${encodeURIComponent(path)}`);
  await page.waitForFunction(() => document.querySelectorAll('canvas').length > 0, null, { timeout: 60000 });
  await page.waitForTimeout(500);
  const [download] = await Promise.all([page.waitForEvent('download', { timeout: 60000 }), page.keyboard.press('Control+s')]);
  const chunks = [];
  for await (const chunk of await download.createReadStream())
    chunks.push(chunk);
  const file = JSON.parse(Buffer.concat(chunks).toString());
  page.off('pageerror', onPageError);
  page.off('console', onConsole);
  return {
    trace: path,
    errors: errors.filter((e) => !e.includes('404')),
    frames: file.shared.frames.map((f) => f.name),
    profiles: file.profiles.map((p) => ({
      name: p.name, unit: p.unit, start: p.startValue, end: p.endValue,
      slices: p.events.filter((e) => e.type === 'O').length,
    })),
  };
}

const reports = await withPage(routes, async (page, base) => {
  const results = [];

  for (const path of Object.keys(routes).slice(1))
    results.push(await importTrace(page, base, path));
  if (screenshot)
    await page.screenshot({ path: screenshot });
  return results;
});
console.log(JSON.stringify(reports, null, 1));
