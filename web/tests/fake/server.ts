// A small server of the made-up trace and the built page, for the page's tests where no `ctrace view` is to be had.

import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { readFileSync } from "node:fs";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { flameOf, metaOf, overviewOf, progressOf, rangeOf, searchOf, sliceOf, threadsOf } from "./answers";
import { bruteTiles } from "./brute_tiles";
import { makeTrace, type MadeTrace } from "./made_trace";

const DIST = fileURLToPath(new URL("../../dist/", import.meta.url));
const TOKEN = "made-up-token";
const TYPES: Record<string, string> = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".png": "image/png" };
const CSP =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self'; connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export type FakeOptions = {
  trace?: MadeTrace;
  part?: number; // of the trace that is indexed
  revision?: number; // else it changes with the part
  damage?: string;
  lost?: number;
  events?: number;
  profile?: boolean;
  most?: number; // hits in one answer
};
export type Fake = { url: string; token: string; trace: MadeTrace; options: FakeOptions; asked: string[]; kept: Record<string, unknown>; close: () => Promise<void> };

function rowsOf(text: string): number[] {
  return text.split(",").flatMap((part) => {
    const [from, to] = part.split("-").map(Number);
    return Array.from({ length: (to ?? from) - from + 1 }, (_, at) => from + at);
  });
}

function answer(fake: Fake, path: string, ask: URLSearchParams): unknown {
  const { trace, options } = fake;
  const number = (name: string, or: number) => Number(ask.get(name) ?? or);
  const progress = progressOf(options.part ?? 1, trace.span, options.revision ?? (options.part === undefined ? 1 : Math.round(options.part * 100) + 1));
  switch (path) {
    case "/api/progress": return progress;
    case "/api/meta": return { ...metaOf(trace, progress, options), kind: options.profile ? "profile" : "trace" };
    case "/api/start": return { meta: answer(fake, "/api/meta", ask), lanes: answer(fake, "/api/lanes", ask), names: answer(fake, "/api/names", ask) };
    case "/api/lanes": return { revision: progress.revision, lanes: options.events === 0 ? [] : trace.lanes };
    case "/api/names": return { from: number("from", 0), names: trace.names.slice(number("from", 0)), classes: trace.classes.slice(number("from", 0)) };
    case "/api/slice": return sliceOf(trace, number("row", 0), number("slice", 0));
    case "/api/flows": return { flows: [], more: false };
    case "/api/search": return searchOf(trace, ask.get("q") ?? "", Math.min(number("limit", 100), options.most ?? 10000), ask.get("order") ?? "time");
    case "/api/range": return rangeOf(trace, number("from", 0), number("to", trace.span));
    case "/api/flame": return flameOf(ask.get("kind") ?? "cpu");
    case "/api/overview": return overviewOf(trace, options.lost);
    case "/api/threads": return threadsOf(trace);
    case "/api/profile": return { types: [{ name: "samples", unit: "count" }, { name: "cpu", unit: "nanoseconds" }], default: 1, comments: [], base: false };
    case "/api/profile/flame": return flameOf("cpu");
    case "/api/notes": return fake.kept["/api/notes"] ?? { notes: [] };
    case "/api/settings": return fake.kept["/api/settings"] ?? {};
    default: return null;
  }
}

function asset(reply: ServerResponse, path: string): void {
  const file = normalize(join(DIST, path === "/" ? "index.html" : path));
  try {
    if (!file.startsWith(DIST)) throw new Error("outside");
    const body = readFileSync(file);
    reply.writeHead(200, { "Content-Type": TYPES[extname(file)] ?? "application/octet-stream", "Content-Security-Policy": CSP }).end(body);
  } catch {
    reply.writeHead(404).end();
  }
}

function json(reply: ServerResponse, status: number, value: unknown): void {
  reply.writeHead(status, { "Content-Type": "application/json", "Cache-Control": "no-store" }).end(JSON.stringify(value));
}

function keep(fake: Fake, request: IncomingMessage, reply: ServerResponse, path: string): void {
  const parts: Buffer[] = [];
  request.on("data", (part: Buffer) => parts.push(part));
  request.on("end", () => {
    fake.kept[path] = JSON.parse(Buffer.concat(parts).toString());
    json(reply, 200, {});
  });
}

function handle(fake: Fake, request: IncomingMessage, reply: ServerResponse): void {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://127.0.0.1");
  if (!pathname.startsWith("/api")) return asset(reply, pathname);
  fake.asked.push(request.url ?? "");
  if (request.headers.authorization !== `Bearer ${fake.token}`) return json(reply, 401, { error: "The token is wrong." });
  if (request.method === "PUT") return keep(fake, request, reply, pathname);
  if (pathname === "/api/tiles") {
    const partial = (fake.options.part ?? 1) < 1;
    const body = bruteTiles(fake.trace, Number(searchParams.get("l")), Number(searchParams.get("i")), rowsOf(searchParams.get("rows") ?? ""), partial);
    reply.writeHead(200, { "Content-Type": "application/octet-stream", "Cache-Control": partial ? "no-store" : "private, max-age=31536000, immutable" });
    reply.end(Buffer.from(body));
    return undefined;
  }
  const value = answer(fake, pathname, searchParams);
  return value === null ? json(reply, 404, { error: "There is no such thing." }) : json(reply, 200, value);
}

export async function startFake(options: FakeOptions = {}, port = 0): Promise<Fake> {
  const fake: Fake = { url: "", token: TOKEN, trace: options.trace ?? makeTrace(), options, asked: [], kept: {}, close: async () => undefined };
  const server = createServer((request, reply) => handle(fake, request, reply));
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const at = server.address();
  fake.url = `http://127.0.0.1:${typeof at === "object" && at ? at.port : port}/`;
  fake.close = () =>
    new Promise((resolve) => {
      server.closeAllConnections();
      server.close(() => resolve());
    });
  return fake;
}
