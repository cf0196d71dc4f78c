// The page's side of the tile worker: says what is in view, keeps what comes.

import { lookOf, type Look, type Theme } from "./colours";
import type { PlacedRow } from "./lanes";
import { levelFor, tilesOf } from "./tile";
import { TileCache } from "./tile_cache";
import type { FromWorker, ToWorker } from "./tile_message";
import type { Want } from "./tile_queue";
import { spanOf, type View } from "./viewport";

const KEPT = 64 * 1024 * 1024;

export type Sight = {
  view: View;
  devicePixels: number;
  span: number;
  rows: PlacedRow[];
  always: readonly number[]; // rows wanted wherever one looks: pauses
  theme: Theme;
  revision: number;
  key: string; // of what is served: browsers keep tiles
};

function newWorker(): Worker {
  return new Worker(new URL("./tile_worker.ts", import.meta.url), { type: "module", name: "tiles" });
}

let spare: Worker | null = null;

/** Has a worker loaded while the page still asks what there is to show. */
export function startWorker(): void {
  spare ??= newWorker();
}

export class TileSource {
  readonly cache = new TileCache(KEPT);
  idle = true;
  private readonly worker: Worker;
  private theme: Theme | null = null;
  private asked = "";
  private turn = 0;

  constructor(
    server: { base: string; token: string },
    private readonly changed: () => void,
    private readonly trouble: (status: number, sentence: string) => void,
    private readonly came: () => void,
  ) {
    this.worker = spare ?? newWorker();
    spare = null;
    this.worker.onmessage = (event: MessageEvent<FromWorker>) => this.hear(event.data);
    this.say({ say: "open", ...server });
  }

  private say(message: ToWorker): void {
    this.worker.postMessage(message);
  }

  private hear(message: FromWorker): void {
    if (message.say === "idle") {
      if (message.turn !== this.turn) return; // more was asked for since
      this.idle = true;
    } else if (message.say === "trouble") {
      this.trouble(message.status, message.sentence);
      return;
    } else if (message.theme !== this.theme) {
      message.bitmap?.close();
      return;
    } else {
      this.came();
      const { level, index, partial, revision, bitmap } = message;
      const sheet = { bitmap, users: 0 };
      const cost = Math.ceil(message.bytes / Math.max(1, message.rows.length));
      for (const row of message.rows) this.cache.put({ ...row, level, index, partial, revision, sheet, cost });
    }
    this.changed();
  }

  /** Asks for what is in sight and not here; what is just outside comes after it. */
  look(sight: Sight): void {
    if (sight.theme !== this.theme) {
      this.cache.clear();
      this.theme = sight.theme;
    }
    const wants = this.wants(sight);
    const asked = JSON.stringify([wants, sight.revision]);
    if (asked === this.asked) return;
    this.asked = asked;
    if (wants.length) this.idle = false;
    const looks = new Map<number, Look>();
    for (const { lane, row } of sight.rows) looks.set(row.id, lookOf(lane.kind, row.kind));
    this.say({ say: "want", wants, looks, theme: sight.theme, revision: sight.revision, key: sight.key, turn: ++this.turn });
  }

  /** Forgets what was asked: what is still missing is asked for again when next it is looked at. */
  retry(): void {
    this.asked = "";
  }

  private wants(sight: Sight): Want[] {
    const level = levelFor(sight.view, sight.devicePixels);
    const rows = [...new Set([...sight.rows.map((row) => row.row.id), ...sight.always])];
    const wants: Want[] = [];
    const add = (at: number, view: View, urgency: number) => {
      const grid = tilesOf(view, at, sight.span);
      for (let index = grid.first; index <= grid.last; index++) {
        const missing = rows.filter((row) => this.missing(at, index, row, sight.revision));
        if (missing.length && !wants.some((want) => want.level === at && want.index === index))
          wants.push({ level: at, index, rows: missing, urgency });
      }
    };
    add(level, sight.view, 0);
    const length = spanOf(sight.view);
    add(level, { start: sight.view.start - length / 2, end: sight.view.end + length / 2 }, 1);
    add(level + 2, sight.view, 2); // stands in when one zooms out
    return wants;
  }

  private missing(level: number, index: number, row: number, revision: number): boolean {
    const tile = this.cache.get(level, index, row);
    return !tile || (tile.partial && tile.revision !== revision);
  }

  close(): void {
    this.worker.terminate();
    this.cache.clear();
  }
}
