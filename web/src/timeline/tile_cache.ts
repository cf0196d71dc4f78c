// The tiles at hand: least recently used go first.  Knows what stands in for a tile that is still on its way.

import { STEPS, stepOf, tileKey, LEVELS } from "./tile";
import type { Columns } from "./tile_reply";

export type Tile = {
  level: number;
  index: number;
  row: number;
  columns: Columns;
  wide: Uint16Array;
  sheet: Uint32Array; // the strips of all rows that came with it
  line: number; // of the sheet, where its own begins
  even: boolean; // it has one line, else three
  partial: boolean;
  revision: number;
  cost: number;
  used?: boolean; // since it came to where it stands in the order of use
};

/** A part of the view that a tile fills: [from, to) in ns. */
export type Piece = { tile: Tile; from: number; to: number };

const FINER = 3; // levels below the wanted one that may stand in
const COARSER = 12;

export class TileCache {
  private readonly tiles = new Map<string, Tile>();
  private held = 0;

  constructor(private readonly limit: number) {}

  get bytes(): number {
    return this.held;
  }

  get size(): number {
    return this.tiles.size;
  }

  /** The tile, now the most recently used, or undefined. */
  get(level: number, index: number, row: number): Tile | undefined {
    const tile = this.tiles.get(tileKey(level, index, row));
    if (tile) tile.used = true;
    return tile;
  }

  has(level: number, index: number, row: number): boolean {
    return this.tiles.has(tileKey(level, index, row));
  }

  put(tile: Tile): void {
    const key = tileKey(tile.level, tile.index, tile.row);
    this.drop(key);
    this.tiles.set(key, tile);
    this.held += tile.cost;
    this.shrink(tile);
  }

  /** What was used since it came to the front goes to the end instead: to move it at each use would take as long as to draw it. */
  private shrink(newest: Tile): void {
    for (const [key, oldest] of this.tiles) {
      if (this.held <= this.limit || oldest === newest) break;
      if (oldest.used) {
        oldest.used = false;
        this.tiles.delete(key);
        this.tiles.set(key, oldest);
      } else this.drop(key);
    }
  }

  private drop(key: string): void {
    const tile = this.tiles.get(key);
    if (!tile) return;
    this.tiles.delete(key);
    this.held -= tile.cost;
  }

  clear(): void {
    for (const key of [...this.tiles.keys()]) this.drop(key);
  }

  /** What fills tile (level, index) of a row now: itself, else the nearest coarser one, else finer ones; may be nothing. */
  stand(level: number, index: number, row: number): Piece[] {
    const size = STEPS * stepOf(level);
    const from = index * size;
    const own = this.get(level, index, row);
    if (own) return [{ tile: own, from, to: from + size }];
    for (let up = 1; up <= COARSER && level + up < LEVELS; up++) {
      const tile = this.get(level + up, Math.floor(index / 2 ** up), row);
      if (tile) return [{ tile, from, to: from + size }];
    }
    for (let down = 1; down <= FINER && level - down >= 0; down++) {
      const pieces: Piece[] = [];
      for (let part = 0; part < 2 ** down; part++) {
        const tile = this.get(level - down, index * 2 ** down + part, row);
        const length = size / 2 ** down;
        if (tile) pieces.push({ tile, from: from + part * length, to: from + (part + 1) * length });
      }
      if (pieces.length) return pieces;
    }
    return [];
  }
}
