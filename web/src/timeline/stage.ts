// The timeline's canvases: what is in sight, when it is drawn again, and what lies under a point of them.

import { effect } from "@preact/signals-core";
import type { Slice } from "../api/answers";
import { checkServer } from "../frame/loader";
import { nameText, namesKnown, namesUpdate } from "../frame/names";
import * as store from "../frame/store";
import { hitAt, nearestInRow, type Hit, type Sights } from "./hit";
import { readInks, type Inks } from "./inks";
import type { Item } from "./lanes";
import type { Theme } from "./colours";
import { drawLanes } from "./draw_lanes";
import { drawOverlay, isBare, type Arrow, type Box } from "./draw_overlay";
import { levelFor } from "./tile";
import { TileSource } from "./tile_source";
import { wordOf } from "./value_strip";
import { toNs } from "./viewport";
import { flowArrows } from "./arrows";

export type Parts = { scroller: HTMLElement; main: HTMLCanvasElement; over: HTMLCanvasElement };

const MORE_NAMES_MS = 200;
const RETRY_MS = 1000;
const EMPTY = "empty"; // as a canvas is when it has been made

export class Stage {
  readonly source: TileSource;
  inks: Inks;
  width = 1;
  height = 1;
  ratio = 1;
  top = 0;
  hover: Hit | null = null;
  cursor: number | null = null; // px
  frames: number[] = []; // what the last ones took, in ms: for tests and the curious
  private lanesDirty = true;
  private overDirty = true;
  private overShown = EMPTY; // what a bare overlay shows; "": it is not bare
  private waiting = 0;
  private namesAt = 0;
  private troubled = false;
  private retrying = 0;
  private readonly stops: (() => void)[] = [];

  constructor(
    private readonly parts: Parts,
    server: { base: string; token: string },
    readonly theme: () => Theme,
  ) {
    this.inks = readInks(parts.scroller, theme());
    this.source = new TileSource(server, () => this.redraw(), (status, sentence) => this.failed(status, sentence), () => { store.lanesError.value = ""; });
    this.stops.push(effect(() => this.watchLanes()), effect(() => this.watchOverlay()));
    const sizes = new ResizeObserver(() => this.resize());
    sizes.observe(parts.scroller);
    this.stops.push(effect(() => this.watchHeads()));
    this.stops.push(() => sizes.disconnect());
    const focused = () => this.showOver(true);
    parts.over.addEventListener("focus", focused);
    this.stops.push(() => parts.over.removeEventListener("focus", focused));
    const scrolled = () => {
      this.top = parts.scroller.scrollTop;
      this.redraw();
    };
    parts.scroller.addEventListener("scroll", scrolled, { passive: true });
    this.stops.push(() => parts.scroller.removeEventListener("scroll", scrolled));
    this.look(store.layout.value.between(this.top, this.top + this.height));
    if (this.source.cache.size) this.frame(); // the first picture is there with the page around it
  }

  close(): void {
    for (const stop of this.stops) stop();
    cancelAnimationFrame(this.waiting);
    window.clearTimeout(this.retrying);
    this.source.close();
  }

  private watchLanes(): void {
    void [store.view.value, store.layout.value, namesKnown.value, store.progress.value, store.trouble.value];
    const troubled = store.trouble.value !== null;
    if (this.troubled && !troubled) this.source.retry();
    this.troubled = troubled;
    this.redraw();
  }

  /** Where the lanes begin. */
  private watchHeads(): void {
    const { style } = document.documentElement;
    if (store.heads.value) style.setProperty("--heads", `${store.heads.value}px`);
    else style.removeProperty("--heads");
    this.resize();
  }

  private watchOverlay(): void {
    void [store.selection.value, store.slice.value, store.range.value, store.found.value, store.notes.value, store.flows.value];
    this.redrawOver();
  }

  private failed(status: number, sentence: string): void {
    if (status >= 500) store.lanesError.value = sentence;
    // What did not come is asked for again a little later, unless the loader finds nobody there to ask.
    if (status === 0 || status >= 500) checkServer();
    window.clearTimeout(this.retrying);
    this.retrying = window.setTimeout(() => {
      this.source.retry();
      this.redraw();
    }, RETRY_MS);
  }

  get isIdle(): boolean {
    return this.source.idle && !this.lanesDirty && !this.overDirty && store.meta.value !== null;
  }

  recolour(): void {
    this.inks = readInks(this.parts.scroller, this.theme());
    this.redraw();
  }

  redraw(): void {
    this.lanesDirty = true;
    this.redrawOver();
  }

  redrawOver(): void {
    this.overDirty = true;
    this.waiting ||= requestAnimationFrame(() => this.frame());
  }

  resize(): void {
    const { main, over, scroller } = this.parts;
    const width = Math.max(1, scroller.clientWidth - main.offsetLeft);
    const height = Math.max(1, scroller.clientHeight);
    const ratio = window.devicePixelRatio || 1;
    if (width === this.width && height === this.height && ratio === this.ratio) return; // a canvas that is given a size is empty
    [this.width, this.height, this.ratio] = [width, height, ratio];
    this.overShown = EMPTY;
    for (const canvas of [main, over]) {
      canvas.width = Math.round(this.width * this.ratio);
      canvas.height = Math.round(this.height * this.ratio);
      canvas.style.width = `${this.width}px`;
      canvas.style.height = `${this.height}px`;
    }
    this.redraw();
  }

  get level(): number {
    return levelFor(store.view.value, this.width * this.ratio);
  }

  sights(): Sights {
    return {
      layout: store.layout.value,
      cache: this.source.cache,
      view: store.view.value,
      level: this.level,
      span: store.span.value,
      width: this.width,
    };
  }

  hitAt(x: number, y: number): Hit | null {
    return hitAt(this.sights(), x, y + this.top);
  }

  nsAt(x: number): number {
    return toNs(store.view.value, this.width, x);
  }

  /** The nearest slice in the next row below (1) or above (-1) the selected one; in the first row in sight when none is selected. */
  beside(way: 1 | -1): { row: number; slice: number } | null {
    const layout = store.layout.value;
    const rows = layout.items.flatMap((item) => item.rows).filter((row) => !row.thin && row.row.kind !== "value");
    const view = store.view.value;
    const slice = store.slice.value;
    const start = slice ? Math.min(Math.max(slice.start_ns, view.start), view.end) : (view.start + view.end) / 2;
    const now = rows.findIndex((row) => row.row.id === slice?.row);
    const first = rows.findIndex((row) => row.y >= this.top);
    for (let at = now < 0 ? first : now + way; at >= 0 && at < rows.length; at += way) {
      const found = nearestInRow(this.sights(), rows[at], start);
      if (found) return found;
    }
    return null;
  }

  private frame(): void {
    cancelAnimationFrame(this.waiting);
    this.waiting = 0;
    const began = performance.now();
    if (this.lanesDirty) this.drawMain();
    if (this.overDirty) this.drawOver();
    this.lanesDirty = this.overDirty = false;
    this.frames.push(performance.now() - began);
    if (this.frames.length > 600) this.frames.shift();
  }

  private drawMain(): void {
    const pen = this.parts.main.getContext("2d", { alpha: false });
    const layout = store.layout.value;
    if (!pen || !store.meta.value) return;
    const items = layout.between(this.top, this.top + this.height);
    const span = store.span.value;
    const progress = store.progress.value;
    const picture = {
      view: store.view.value,
      level: this.level,
      span,
      width: this.width,
      height: this.height,
      ratio: this.ratio,
      top: this.top,
      items,
      covered: progress?.state === "building" ? progress.covered_ns : span,
      looked: progress?.looked ?? [],
      nameOf: (id: number) => this.nameOf(id),
      pauses: store.pauseRows.value,
    };
    this.look(items);
    drawLanes(pen, this.source.cache, picture, this.inks);
    if (this.source.cache.size) {
      window.ctraceFirst ??= performance.now();
      if (!this.source.begun) window.setTimeout(() => this.source.begin());
    }
  }

  /** Asks for what is in sight. */
  private look(items: Item[]): void {
    const progress = store.progress.value;
    if (this.troubled || !store.meta.value) return;
    this.source.look({
      view: store.view.value,
      devicePixels: this.width * this.ratio,
      span: store.span.value,
      rows: items.flatMap((item) => item.rows),
      always: store.pauseRows.value,
      theme: this.inks.theme,
      ground: wordOf(this.inks.back),
      revision: progress ? progress.revision + progress.covered_ns : 0,
      key: store.meta.value.trace.key,
    });
  }

  /** A name that is not known yet is asked for, but not more often than it can come. */
  private nameOf(id: number): string {
    const text = nameText(id);
    if (!text && id >= namesKnown.value && performance.now() - this.namesAt > MORE_NAMES_MS) {
      this.namesAt = performance.now();
      void namesUpdate().catch(() => undefined);
    }
    return text;
  }

  private boxOf(row: number, start: number, end: number): Box | null {
    const placed = store.layout.value.placed.get(row);
    return placed ? { start, end, y: placed.y - this.top, h: placed.h } : null;
  }

  private drawOver(): void {
    const pen = this.parts.over.getContext("2d");
    if (!pen) return;
    const slice: Slice | null = store.slice.value;
    const hover = this.hover?.kind === "slice" ? this.hover : null;
    const boxes = (store.found.value?.hits ?? []).map((hit) => this.boxOf(hit.row, hit.start_ns, hit.start_ns + hit.dur_ns));
    const direct: Arrow[] = slice ? flowArrows(slice, store.layout.value, this.top) : [];
    const others = store.showFlows.value ? store.flowsPlaced(this.top) : [];
    const picture = {
      view: store.view.value,
      width: this.width,
      height: this.height,
      ratio: this.ratio,
      hover: hover ? { start: hover.start, end: hover.end, y: hover.row.y - this.top, h: hover.row.h } : null,
      selected: slice ? this.boxOf(slice.row, slice.start_ns, slice.start_ns + slice.dur_ns) : null,
      hits: boxes.filter((box): box is Box => box !== null),
      range: store.range.value,
      cursor: this.cursor,
      arrows: [...others, ...direct],
      notes: store.notes.value,
    };
    // Two canvases of this size are half of what a frame costs: one with nothing on it is neither drawn nor shown.
    const bare = isBare(picture);
    const shows = !bare ? "" : this.cursor === null ? EMPTY : `${this.cursor} ${this.inks.theme}`;
    if (bare && shows === this.overShown) {
      if (shows === EMPTY) this.showOver(false);
      return;
    }
    this.overShown = shows;
    drawOverlay(pen, picture, this.inks);
    this.showOver(!bare || this.cursor !== null);
  }

  /** An overlay that one goes to by Tab has the ring that says so. */
  private showOver(needed: boolean): void {
    const { over } = this.parts;
    over.style.opacity = needed || document.activeElement === over ? "" : "0";
  }
}
