// A loopback server over a few files, and Debian's chromium pointed at it.
import { createServer } from 'node:http';
import { readFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { extname, join, normalize } from 'node:path';
import { chromium } from 'playwright-core';

const types = {
  '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.json': 'application/json',
  '.wasm': 'application/wasm', '.gz': 'application/gzip', '.png': 'image/png', '.ico': 'image/x-icon',
};

// `routes` maps a path prefix to a folder, a path to a file, or a path to { body, type }.
async function serve(routes) {
  const server = createServer(async (request, response) => {
    const path = decodeURIComponent(new URL(request.url, 'http://x').pathname);
    const prefix = Object.keys(routes).filter((p) => path.startsWith(p)).sort((a, b) => b.length - a.length)[0];
    const target = routes[prefix];

    try {
      if (!target)
        throw new Error('no such path');
      if (target.body !== undefined) {
        response.writeHead(200, { 'Content-Type': target.type });
        response.end(target.body);
        return;
      }
      const file = prefix.endsWith('/') ? join(target, normalize('/' + path.slice(prefix.length))) : target;
      const bytes = await readFile(file);
      response.writeHead(200, { 'Content-Type': types[extname(file)] ?? 'application/octet-stream' });
      response.end(bytes);
    } catch {
      response.writeHead(404);
      response.end();
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

// Runs `visit(page, base)` with a fresh browser; returns what it returns.
export async function withPage(routes, visit) {
  const server = await serve(routes);
  const profile = await mkdtemp(join(tmpdir(), 'ctrace-chromium-'));
  const browser = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    headless: true,
    viewport: { width: 1600, height: 1000 },
    args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
      '--disable-background-networking', '--disable-component-update', '--disable-sync'],
  });

  try {
    return await visit(await browser.newPage(), `http://127.0.0.1:${server.address().port}`);
  } finally {
    await browser.close();
    server.close();
    await rm(profile, { recursive: true, force: true });
  }
}
