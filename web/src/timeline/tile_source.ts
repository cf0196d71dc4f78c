// The page's side of the tile worker: says what is in view, keeps what comes.

import type { Theme } from "./colours";
import { FirstTiles } from "./first_tiles";
import { TileCache } from "./tile_cache";
import { tilesOfMade } from "./tile_maker";
import type { FromWorker, TilesMade, ToWorker } from "./tile_message";
import { missingOf, paintingOf, type Ahead, type Sight } from "./tile_wants";
import { spanOf } from "./viewport";

const KEPT = 64 * 1024 * 1024;
const SAME = 1e-4; // of its length: a view that only moves is as long as before but for what doubles leave out
const REST_MS = 120; // without a zoom: what is beside the view is beside it for longer than a moment

let early: FirstTiles | null = null;

/** Asks for what will be in sight as far as one can tell, while there is no stage yet; is done when it is here, or will not come. */
export async function askFirst(sight: Sight): Promise<void> {
  early ??= new FirstTiles(sight);
  await early.came;
}

function keep(cache: TileCache, made: TilesMade): void {
  for (const tile of tilesOfMade(made)) cache.put(tile);
}

/** What came of it up to now. */
export function firstTiles(): TileCache {
  const cache = new TileCache(KEPT);
  for (const message of early?.made ?? []) if (message.say === "tiles") keep(cache, message);
  return cache;
}

export class TileSource {
  readonly cache = new TileCache(KEPT);
  private quiet = true;
  private closed = false;
  private worker: Worker | null = null;
  private readonly first = early;
  private theme: Theme | null;
  private wanted: ToWorker | null = null; // what the worker is told when it begins
  private asked = "";
  private turn = 0;
  private length = 0; // of the view that was looked at last
  private resting = 0; // timer, while it is zoomed
  private closer = false;

  constructor(
    private readonly server: { base: string; token: string },
    private readonly changed: () => void,
    private readonly trouble: (status: number, sentence: string) => void,
    private readonly came: () => void,
  ) {
    early = null;
    this.theme = this.first?.sight.theme ?? null;
    this.first?.follow((message) => this.hear(message));
  }

  /** Whether all that was asked for is here. */
  get idle(): boolean {
    return this.quiet && !this.resting && this.first?.idle !== false;
  }

  get begun(): boolean {
    return this.worker !== null;
  }

  /** Has the worker loaded: it would take the time that the first picture needs. */
  begin(): void {
    if (this.worker || this.closed) return;
    this.worker = new Worker(new URL("./tile_worker.ts", import.meta.url), { type: "module", name: "tiles" });
    this.worker.onmessage = (event: MessageEvent<FromWorker>) => this.hear(event.data);
    this.say({ say: "open", ...this.server });
    if (this.wanted) this.say(this.wanted);
  }

  private say(message: ToWorker): void {
    this.worker?.postMessage(message);
  }

  private hear(message: FromWorker): void {
    if (message.say === "idle") {
      if (message.turn !== this.turn) return; // more was asked for since
      this.quiet = true;
    } else if (message.say === "trouble") {
      this.trouble(message.status, message.sentence);
      return;
    } else if (message.theme !== this.theme) {
      return;
    } else {
      this.came();
      keep(this.cache, message);
    }
    this.changed();
  }

  /** Asks for what is in sight and not here; what is just outside comes after it. */
  look(sight: Sight): void {
    if (sight.theme !== this.theme) {
      this.cache.clear();
      this.theme = sight.theme;
    }
    const wants = missingOf(sight, (level, index, row) => this.missing(level, index, row, sight), this.aheadOf(sight));
    const asked = JSON.stringify([wants, sight.revision]);
    if (asked === this.asked) return;
    this.asked = asked;
    if (wants.length) this.quiet = false;
    this.wanted = { say: "want", wants, painting: paintingOf(sight), revision: sight.revision, key: sight.key, turn: ++this.turn };
    if (this.worker) this.say(this.wanted);
    else if (!this.awaits(sight) && !this.cache.size && wants.some((want) => want.urgency === 0)) this.begin(); // else when that is shown
  }

  /** Whether a first picture is under way that can be shown: not one of other colours. */
  private awaits({ theme }: Sight): boolean {
    return this.first?.idle === false && this.first.sight.theme === theme;
  }

  /** While one zooms, what lies beside the view would be gone before it came, and takes the time that frames need. */
  private aheadOf({ view }: Sight): Ahead {
    const before = this.length;
    this.length = spanOf(view);
    if (before && Math.abs(before / this.length - 1) > SAME) {
      window.clearTimeout(this.resting);
      this.resting = window.setTimeout(() => {
        this.resting = 0;
        this.changed();
      }, REST_MS);
      this.closer = this.length < before;
    }
    return !this.resting ? "all" : this.closer ? "nothing" : "farther";
  }

  /** Forgets what was asked: what is still missing is asked for again when next it is looked at. */
  retry(): void {
    this.asked = "";
  }

  private missing(level: number, index: number, row: number, sight: Sight): boolean {
    const tile = this.cache.get(level, index, row);
    if (tile) return tile.partial && tile.revision !== sight.revision;
    return !(this.first?.has(level, index, row) && this.first.sight.theme === sight.theme);
  }

  close(): void {
    this.closed = true;
    window.clearTimeout(this.resting);
    this.worker?.terminate();
    this.cache.clear();
  }
}
