// Which tiles are asked for next: what is in view first, then beside it; what nobody wants any more is cancelled.

import { ROWS_AT_MOST } from "./tile";

/** Rows of one tile that somebody wants; 0 is the most urgent. */
export type Want = { level: number; index: number; rows: number[]; urgency: number };
export type Order = { id: number; level: number; index: number; rows: number[]; urgency: number };

export class TileQueue {
  private wants: Want[] = [];
  private readonly running = new Map<number, Order>();
  private nextId = 1;
  /** Whether what is only expected to be wanted is asked for: not over a line that has enough to do with what is. */
  ahead = true;

  constructor(private readonly parallel: number) {}

  /** Replaces everything wanted; answers with the orders under way that nobody wants any more. */
  want(wants: Want[]): number[] {
    const stale: number[] = [];
    const wanted = new Map(wants.map((want) => [`${want.level}/${want.index}`, new Set(want.rows)]));
    for (const order of this.running.values()) {
      const rows = wanted.get(`${order.level}/${order.index}`);
      if (!rows || !order.rows.some((row) => rows.has(row))) stale.push(order.id);
    }
    for (const id of stale) this.running.delete(id);
    this.wants = wants.filter((want) => this.ahead || want.urgency === 0).map((want) => ({ ...want, rows: [...want.rows] })).sort((a, b) => a.urgency - b.urgency);
    for (const order of this.running.values()) this.take(order);
    return stale;
  }

  private take(order: { level: number; index: number; rows: number[] }): void {
    const rows = new Set(order.rows);
    for (const want of this.wants)
      if (want.level === order.level && want.index === order.index) want.rows = want.rows.filter((row) => !rows.has(row));
    this.wants = this.wants.filter((want) => want.rows.length > 0);
  }

  /** The next request to send, or null when enough are under way or nothing is wanted. */
  next(): Order | null {
    const first = this.wants[0];
    // What is only expected to be wanted leaves room for what will be.
    if (!first || this.running.size >= (first.urgency > 0 ? 1 : this.parallel)) return null;
    const order = { id: this.nextId++, level: first.level, index: first.index, rows: first.rows.slice(0, ROWS_AT_MOST), urgency: first.urgency };
    this.running.set(order.id, order);
    this.take(order);
    return order;
  }

  done(id: number): void {
    this.running.delete(id);
  }

  get idle(): boolean {
    return this.running.size === 0 && this.wants.length === 0;
  }
}
