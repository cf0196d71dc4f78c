// The card at the pointer: name, duration, state, object.  Exact once the server has said so.

import { signal, effect } from "@preact/signals";
import type { Slice } from "../api/answers";
import { getJson, query } from "../api/api";
import { nameText } from "../frame/names";
import { axisClock, laneTitle, meta } from "../frame/store";
import { hovered } from "./stage_now";
import { Swatch } from "./swatch";
import { duration, quantity, relative, wall } from "./time";

const PAUSE_MS = 70;
const KEPT = 300;
const known = new Map<string, Slice>();
const exact = signal<Slice | null>(null);
let timer = 0;
let controller: AbortController | null = null;

effect(() => {
  const over = hovered.value;
  window.clearTimeout(timer);
  controller?.abort();
  exact.value = null;
  if (over?.hit.kind !== "slice") return;
  const { row, slice } = over.hit;
  const key = `${row.row.id}.${slice}`;
  const at = known.get(key);
  if (at) {
    exact.value = at;
    return;
  }
  timer = window.setTimeout(() => {
    controller = new AbortController();
    getJson<Slice>(`/api/slice${query({ row: row.row.id, slice })}`, controller.signal)
      .then((answer) => {
        known.set(key, answer);
        if (known.size > KEPT) known.delete(known.keys().next().value ?? "");
        exact.value = answer;
      })
      .catch(() => undefined); // the card says what the tile knows
  }, PAUSE_MS);
});

/** An instant as the axis has it, fine enough for steps of `step` ns. */
export function instant(ns: number, step: number): string {
  const clock = axisClock.value;
  return clock ? wall(ns, step, clock) : relative(ns, step);
}

export function HoverCard() {
  const over = hovered.value;
  if (!over) return null;
  const { hit } = over;
  const right = over.x > window.innerWidth - 290;
  const low = over.y > window.innerHeight - 170;
  const style = {
    left: right ? "auto" : `${over.x + 14}px`,
    right: right ? `${window.innerWidth - over.x + 14}px` : "auto",
    top: low ? "auto" : `${over.y + 16}px`,
    bottom: low ? `${window.innerHeight - over.y + 12}px` : "auto",
  };
  if (hit.kind === "value") {
    const unit = hit.row.lane.unit;
    return (
      <div class="hover-card" style={style} aria-hidden="true">
        <div class="what">{hit.row.row.name || hit.row.lane.name}</div>
        <div class="numbers">{quantity(hit.last, unit)}</div>
        {hit.min !== hit.max && <div class="dim">{quantity(hit.min, unit)} to {quantity(hit.max, unit)}</div>}
      </div>
    );
  }
  const slice = exact.value;
  const about = hit.count > 1 ? `the longest of ${hit.count} here` : "";
  const state = slice?.state || meta.value?.classes.find((each) => each.id === hit.cls)?.name || "";
  return (
    <div class="hover-card" style={style} aria-hidden="true">
      <div class="what"><Swatch cls={hit.cls} name={hit.name} /> {slice?.name ?? nameText(hit.name)}</div>
      <div class="numbers">
        {slice ? duration(slice.dur_ns) : `≈ ${duration(hit.end - hit.start)}`} <span class="dim">at {instant(slice?.start_ns ?? hit.start, slice ? 1000 : hit.step)}</span>
      </div>
      {state && <div class="dim">{state}</div>}
      {slice?.args.slice(0, 3).map((arg) => <div class="dim" key={arg.name}>{arg.name} {arg.text || arg.value}</div>)}
      {slice?.waker && <div>ended by <b>{laneTitle(slice.waker.lane)}</b>{slice.waker.name && ` in ${slice.waker.name}`}</div>}
      {about && <div class="dim">{about}</div>}
    </div>
  );
}
