// The tile worker: fetches, decodes and paints tiles off the main thread, the most urgent first.

import { ApiError, apiOpen, getBytes, isAbort, query, wordsOf } from "../api/api";
import type { Look, Theme } from "./colours";
import { BANDS, paintStrip, wideEntries } from "./strip";
import { rowList, STEPS } from "./tile";
import type { FromWorker, TileRow, ToWorker } from "./tile_message";
import { TileQueue, type Order } from "./tile_queue";
import { decodeTiles } from "./tile_reply";

const PARALLEL = 4;
const SLOW_MS = 250; // a reply that takes longer: the line is slow, or the server has much to do
const WIDE = 5; // steps: the narrowest entry that may get a pattern or a label

const queue = new TileQueue(PARALLEL);
const controllers = new Map<number, AbortController>();
let looks = new Map<number, Look>();
let theme: Theme = "light";
let revision = 0;
let key = "";
let turn = 0;
let usual = 0; // ms that replies took lately

function say(message: FromWorker, move: Transferable[] = []): void {
  (self as unknown as { postMessage(m: FromWorker, t: Transferable[]): void }).postMessage(message, move);
}

async function paint(rows: TileRow[], as: Theme): Promise<ImageBitmap | null> {
  const painted = rows.filter((row) => row.columns.kind === 0);
  if (!painted.length) return null;
  const image = new ImageData(STEPS, painted.length * BANDS);
  const words = new Uint32Array(image.data.buffer);
  painted.forEach((row, at) => {
    row.line = at * BANDS;
    if (row.columns.kind === 0) paintStrip(words, row.line * STEPS, row.columns, looks.get(row.row) ?? "slices", as);
  });
  return createImageBitmap(image);
}

async function fetchTiles(order: Order, signal: AbortSignal): Promise<void> {
  const as = theme;
  const at = revision;
  const path = `/api/tiles${query({ l: order.level, i: order.index, rows: rowList(order.rows), v: key })}`;
  const began = performance.now();
  const buffer = await getBytes(path, signal);
  usual += (performance.now() - began - usual) * 0.3;
  queue.ahead = usual < SLOW_MS;
  const reply = decodeTiles(buffer);
  const rows: TileRow[] = reply.rows.map(({ row, columns }) => ({
    row,
    columns,
    wide: columns.kind === 0 ? wideEntries(columns, WIDE) : new Uint16Array(0),
    line: 0,
  }));
  const bitmap = await paint(rows, as);
  if (signal.aborted) {
    bitmap?.close();
    return;
  }
  const { level, index, partial } = reply;
  const pixels = bitmap ? bitmap.width * bitmap.height * 4 : 0;
  say(
    { say: "tiles", level, index, partial, revision: at, theme: as, rows, bytes: buffer.byteLength + pixels, bitmap },
    bitmap ? [buffer, bitmap] : [buffer],
  );
}

async function run(order: Order): Promise<void> {
  const controller = new AbortController();
  controllers.set(order.id, controller);
  try {
    await fetchTiles(order, controller.signal);
  } catch (cause) {
    if (!isAbort(cause)) say({ say: "trouble", status: cause instanceof ApiError ? cause.status : -1, sentence: wordsOf(cause) });
  }
  controllers.delete(order.id);
  queue.done(order.id);
  work();
}

function work(): void {
  for (let order = queue.next(); order; order = queue.next()) void run(order);
  if (queue.idle) say({ say: "idle", turn });
}

self.onmessage = (event: MessageEvent<ToWorker>) => {
  const message = event.data;
  if (message.say === "open") {
    apiOpen(message);
    return;
  }
  ({ looks, theme, revision, key, turn } = message);
  for (const id of queue.want(message.wants)) controllers.get(id)?.abort();
  work();
};
