// What the page and its tile worker say to each other.

import type { Look, Theme } from "./colours";
import type { Columns } from "./tile_reply";
import type { Want } from "./tile_queue";

export type ToWorker =
  | { say: "open"; base: string; token: string }
  | { say: "want"; wants: Want[]; painting: Painting; revision: number; key: string; turn: number };

/** How rows are painted: what each is, and on which colour (an RGBA word). */
export type Painting = { looks: Map<number, Look>; theme: Theme; ground: number };
export type TileRow = { row: number; columns: Columns; wide: Uint16Array; line: number; even: boolean };
export type TilesMade = {
  say: "tiles";
  level: number;
  index: number;
  partial: boolean;
  revision: number;
  theme: Theme;
  rows: TileRow[];
  bytes: number;
  sheet: Uint32Array<ArrayBuffer>; // the strips of its rows, one below the other
};
export type FromWorker =
  | TilesMade
  | { say: "idle"; turn: number } // everything wanted up to that turn is there
  | { say: "trouble"; status: number; sentence: string };
