// What the page and its tile worker say to each other.

import type { Look, Theme } from "./colours";
import type { Want } from "./tile_queue";

export type ToWorker =
  | { say: "open"; base: string; token: string }
  | { say: "want"; wants: Want[]; painting: Painting; revision: number; key: string; turn: number };

/** How rows are painted: what each is, and on which colour (an RGBA word). */
export type Painting = { looks: Map<number, Look>; theme: Theme; ground: number };
/** Words of the table for each row: row, kind, entries, where they lie in the buffer, its first line of the sheet, how many it has there, wide entries. */
export const ROW_WORDS = 7;
/** As few objects as possible: what a worker hands over is made anew by the page, one object after the other. */
export type TilesMade = {
  say: "tiles";
  level: number;
  index: number;
  partial: boolean;
  revision: number;
  theme: Theme;
  rows: number;
  table: Uint32Array<ArrayBuffer>;
  buffer: ArrayBuffer; // the columns of all rows
  wide: Uint16Array<ArrayBuffer>; // which of a row's entries are, one row after the other
  sheet: Uint32Array<ArrayBuffer>; // the strips of its rows, one below the other
};
export type FromWorker =
  | TilesMade
  | { say: "idle"; turn: number } // everything wanted up to that turn is there
  | { say: "trouble"; status: number; sentence: string };
