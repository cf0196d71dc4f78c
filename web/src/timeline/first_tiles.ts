// The first tiles: the page itself asks for them and paints them, since a worker takes longer to begin than they do to come.

import { ApiError, getBytes, wordsOf } from "../api/api";
import { tileKey, tilePath, ROWS_AT_MOST } from "./tile";
import { makeTiles } from "./tile_maker";
import type { FromWorker, Painting } from "./tile_message";
import { firstOf, paintingOf, type Sight } from "./tile_wants";

export class FirstTiles {
  private readonly under = new Set<string>(); // way
  private readonly heard: FromWorker[] = [];
  private tell: ((message: FromWorker) => void) | null = null;
  /** Is done when all came, or did not. */
  readonly came: Promise<unknown>;

  constructor(readonly sight: Sight) {
    const painting = paintingOf(sight);
    const asked: Promise<void>[] = [];
    for (const { level, index, rows } of firstOf(sight))
      for (let at = 0; at < rows.length; at += ROWS_AT_MOST) asked.push(this.ask(level, index, rows.slice(at, at + ROWS_AT_MOST), painting));
    this.came = Promise.all(asked);
  }

  /** Whether it was asked for and has not come yet. */
  has(level: number, index: number, row: number): boolean {
    return this.under.has(tileKey(level, index, row));
  }

  /** What came up to now. */
  get made(): readonly FromWorker[] {
    return this.heard;
  }

  get idle(): boolean {
    return this.under.size === 0;
  }

  /** Hands on what came and what is still to come. */
  follow(tell: (message: FromWorker) => void): void {
    this.tell = tell;
    for (const message of this.heard.splice(0)) tell(message);
  }

  private async ask(level: number, index: number, rows: number[], painting: Painting): Promise<void> {
    const keys = rows.map((row) => tileKey(level, index, row));
    for (const key of keys) this.under.add(key);
    let message: FromWorker;
    try {
      const buffer = await getBytes(tilePath({ level, index, rows }, this.sight.key));
      message = makeTiles(buffer, painting, this.sight.revision);
    } catch (cause) {
      message = { say: "trouble", status: cause instanceof ApiError ? cause.status : -1, sentence: wordsOf(cause) };
    }
    for (const key of keys) this.under.delete(key);
    if (this.tell) this.tell(message);
    else this.heard.push(message);
  }
}
