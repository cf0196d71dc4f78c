// Where flow arrows begin and end: rows as they are placed now, lanes that are folded away by their fold.

import type { Flow, FlowEnd, Peer, Slice } from "../api/answers";
import type { Arrow } from "./draw_overlay";
import type { LaneLayout } from "./lanes";

function heightOf(layout: LaneLayout, lane: number, row: number | null, top: number): number | null {
  const placed = row === null ? undefined : layout.placed.get(row);
  if (placed) return placed.y + placed.h / 2 - top;
  const item = layout.byLane.get(lane);
  if (item) return item.y + 10 - top;
  const fold = layout.foldOf.get(lane);
  return fold ? fold.y + fold.h / 2 - top : null;
}

/** The direct flows of a slice: from who ended it, to whom it woke. */
export function flowArrows(slice: Slice, layout: LaneLayout, top: number): Arrow[] {
  const y = heightOf(layout, slice.lane, slice.row, top);
  if (y === null) return [];
  const arrows: Arrow[] = [];
  const end = slice.start_ns + slice.dur_ns;
  const add = (peer: Peer, out: boolean) => {
    const other = heightOf(layout, peer.lane, peer.row, top);
    if (other === null) return;
    const mine = { ns: out ? peer.ns : end, y };
    arrows.push(
      out
        ? { fromNs: Math.min(Math.max(peer.ns, slice.start_ns), end), fromY: y, toNs: peer.ns, toY: other, kind: "wake", direct: true }
        : { fromNs: peer.ns, fromY: other, toNs: mine.ns, toY: y, kind: "wake", direct: true },
    );
  };
  if (slice.waker) add(slice.waker, false);
  for (const peer of slice.woken) add(peer, true);
  return arrows;
}

export function placeFlows(flows: readonly Flow[], layout: LaneLayout, top: number): Arrow[] {
  const arrows: Arrow[] = [];
  const y = (end: FlowEnd) => heightOf(layout, end.lane, end.row, top);
  for (const flow of flows) {
    const [from, to] = [y(flow.from), y(flow.to)];
    if (from === null || to === null) continue;
    arrows.push({ fromNs: flow.from.ns, fromY: from, toNs: flow.to.ns, toY: to, kind: flow.kind, direct: false });
  }
  return arrows;
}
