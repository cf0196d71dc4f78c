// The tile worker: fetches, decodes and paints tiles off the main thread, the most urgent first.

import { ApiError, apiOpen, getBytes, isAbort, wordsOf } from "../api/api";
import { tilePath } from "./tile";
import { Rest } from "./rest";
import { makeTiles } from "./tile_maker";
import type { FromWorker, Painting, ToWorker } from "./tile_message";
import { TileQueue, type Order } from "./tile_queue";

const PARALLEL = 4;
const SLOW_MS = 250; // a reply that takes longer: the line is slow, or the server has much to do

const REST_MS = 120; // steps that follow one another are nearer to each other
const REST_MOST_MS = 400;

const queue = new TileQueue(PARALLEL);
const rest = new Rest(REST_MS, REST_MOST_MS, work); // of the view
const controllers = new Map<number, AbortController>();
let painting: Painting = { looks: new Map(), theme: "light", ground: 0 };
let revision = 0;
let key = "";
let turn = 0;
let usual = 0; // ms that replies took lately

function say(message: FromWorker, move: Transferable[] = []): void {
  (self as unknown as { postMessage(m: FromWorker, t: Transferable[]): void }).postMessage(message, move);
}

async function fetchTiles(order: Order, signal: AbortSignal): Promise<void> {
  const as = painting;
  const at = revision;
  const path = tilePath(order, key);
  const began = performance.now();
  const buffer = await getBytes(path, signal);
  usual += (performance.now() - began - usual) * 0.3;
  queue.ahead = usual < SLOW_MS;
  if (signal.aborted) return;
  const made = makeTiles(buffer, as, at);
  say(made, [made.buffer, made.table.buffer, made.wide.buffer, made.sheet.buffer]);
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
  if (rest.waits) return;
  for (let order = queue.next(); order; order = queue.next()) void run(order);
  if (queue.idle) say({ say: "idle", turn });
}

self.onmessage = (event: MessageEvent<ToWorker>) => {
  const message = event.data;
  if (message.say === "open") {
    apiOpen(message);
    return;
  }
  ({ painting, revision, key, turn } = message);
  for (const id of queue.want(message.wants)) controllers.get(id)?.abort();
  // What is only passed by is on a slow line before what one stops at, cancelled or not.
  if (!queue.ahead && !queue.idle) rest.changed();
  else work();
};
