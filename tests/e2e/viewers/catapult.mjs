// node catapult.mjs TRACE.json... prints, as a JSON array, what catapult's own importer made of each trace.
// SCREENSHOT=FILE.png in the environment also shows the last one and takes its picture.
import { readFile } from 'node:fs/promises';
import { withPage } from './browser.mjs';

const traces = process.argv.slice(2);
const screenshot = process.env.SCREENSHOT;
const folder = process.env.CATAPULT ?? '/usr/share/go-1.19/src/cmd/trace/static';
const index = `<!DOCTYPE html><html><head><meta charset="utf-8">
<script src="/static/webcomponents.min.js"></script>
<link rel="import" href="/static/trace_viewer_full.html">
<style>html, body { margin: 0; width: 100%; height: 100%; overflow: hidden; }
#viewer { width: 100%; height: 100%; }</style>
</head><body></body></html>`;

// Runs in the page: imports the text and counts what came of it.
async function importTrace(text) {
  const model = new tr.Model();
  const options = new tr.importer.ImportOptions();
  options.shiftWorldToZero = false;
  options.showImportWarnings = false;
  await new tr.importer.Import(model, options).importTraces([text]);

  const report = {
    warnings: model.importWarnings.map((w) => `${w.type}: ${w.message}`),
    start: model.bounds.min, end: model.bounds.max,
    flows: model.flowEvents.length, unboundFlows: 0,
    stackFrames: Object.keys(model.stackFrames).length,
    processes: [],
  };
  for (const flow of model.flowEvents)
    if (!flow.startSlice || !flow.endSlice)
      report.unboundFlows++;
  for (const process of model.getAllProcesses()) {
    const threads = [];
    for (const thread of Object.values(process.threads)) {
      const slices = [...thread.sliceGroup.slices];
      threads.push({
        tid: thread.tid, name: thread.name, sortIndex: thread.sortIndex, slices: slices.length,
        topLevel: thread.sliceGroup.topLevelSlices.length,
        withStack: slices.filter((s) => s.startStackFrame).length,
        names: [...new Set(slices.map((s) => s.title))].slice(0, 200),
        async: thread.asyncSliceGroup.slices.length,
      });
    }
    report.processes.push({
      pid: process.pid, name: process.name, labels: process.labels, sortIndex: process.sortIndex, threads,
      counters: Object.values(process.counters).map((c) => ({
        name: c.name, series: c.series.map((s) => s.name), samples: c.numSamples })),
      instants: process.instantEvents.length,
    });
  }
  window.importedModel = model;
  return report;
}

// Runs in the page: shows the model as chrome://tracing would.
function show() {
  const container = document.createElement('track-view-container');
  const viewer = document.createElement('tr-ui-timeline-view');

  container.id = 'track_view_container';
  viewer.track_view_container = container;
  Polymer.dom(viewer).appendChild(container);
  viewer.id = 'viewer';
  viewer.globalMode = true;
  Polymer.dom(document.body).appendChild(viewer);
  viewer.model = window.importedModel;
  viewer.viewTitle = 'ctrace';
}

const reports = await withPage({
  '/': { body: index, type: 'text/html' }, '/static/': folder,
}, async (page, base) => {
  const results = [];
  let errors = [];

  page.on('pageerror', (e) => errors.push(String(e)));
  page.on('console', (m) => m.type() === 'error' && errors.push(m.text()));
  await page.goto(base + '/');
  await page.waitForFunction(() => window.tr?.importer?.Import && window.Polymer, null, { timeout: 60000 });
  for (const trace of traces) {
    errors = [];
    const result = await page.evaluate(importTrace, await readFile(trace, 'utf8'));
    result.errors = errors.filter((e) => !e.includes('404'));
    result.trace = trace;
    results.push(result);
  }
  if (screenshot) {
    await page.evaluate(show);
    await page.waitForTimeout(3000);
    await page.screenshot({ path: screenshot });
  }
  return results;
});
console.log(JSON.stringify(reports, null, 1));
