// Everything that is known of the selected slice, with a link to whoever ended it and to whom it woke.

import type { ComponentChildren } from "preact";
import type { Peer, Slice } from "../api/answers";
import { follow, jump, select, step, zoomToSelection } from "../frame/actions";
import { laneTitle, selection, slice as selected, sliceError } from "../frame/store";
import { instant } from "../timeline/hover_card";
import { Swatch } from "../timeline/swatch";
import { duration, percent } from "../timeline/time";
import { endedFromOutside } from "./ended";
import { StackList } from "./stack";

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}

function PeerLink({ peer }: { peer: Peer }) {
  return (
    <div class="peer">
      <button type="button" class="link" onClick={() => jump(peer)}>
        {laneTitle(peer.lane) || "a thread"}
      </button>
      <span class="dim"> {peer.name && `in ${peer.name}, `}at {instant(peer.ns, 1000)}</span>
      {peer.stack?.length > 0 && <StackList frames={peer.stack} folded />}
    </div>
  );
}

const FLAGS: Record<string, string> = {
  "cut at start": "began before the trace does",
  "cut at end": "had not ended when the trace did",
  "end lost": "its end is among the lost events",
  guess: "a guess: last seen here when this begins, then not heard of until another thread was here, or it was elsewhere",
};
// Waits and calls: one stands in the same place from their start to their end.
const STANDS = new Set([3, 4, 5, 6, 7, 8, 9, 10, 11]);

function stackTitle({ class: cls, end_stack, dur_ns }: Slice): string {
  if (end_stack.length) return "Stack at the start";
  return STANDS.has(cls) && dur_ns > 0 ? "Stack, from the start to the end" : "Stack";
}

const WAITS = new Set([3, 4, 5, 6, 7]);

/** What ended a wait, where that was no thread and is known. */
function nobody(slice: Slice): string {
  return WAITS.has(slice.class) ? endedFromOutside(slice) : "";
}

function Times({ slice }: { slice: Slice }) {
  return (
    <dl class="facts">
      <Fact name="Duration"><b>{duration(slice.dur_ns)}</b></Fact>
      <Fact name="Start">{instant(slice.start_ns, 1)}</Fact>
      {slice.self_ns !== null && slice.self_ns !== slice.dur_ns && <Fact name="Self">{duration(slice.self_ns)} <span class="dim">{percent(slice.self_ns, slice.dur_ns)}</span></Fact>}
      {slice.cpu_ns !== null && <Fact name="On CPU">{duration(slice.cpu_ns)} <span class="dim">{percent(slice.cpu_ns, slice.dur_ns)}</span></Fact>}
      <Fact name="Lane">{laneTitle(slice.lane)}</Fact>
      {slice.state && <Fact name="State">{slice.state}</Fact>}
      {slice.args.map((arg) => (
        <Fact key={arg.name} name={arg.name}>
          <code>{arg.text || arg.value}</code> {arg.text && arg.text !== arg.value && <span class="dim">{arg.value}</span>}
        </Fact>
      ))}
      {slice.flags.map((flag) => <Fact key={flag} name="Note">{FLAGS[flag] ?? flag}</Fact>)}
    </dl>
  );
}

export function DetailsPanel() {
  const slice = selected.value;
  if (sliceError.value) return <p class="banner bad" role="alert">{sliceError.value}</p>;
  if (!slice) return <p class="empty">{selection.value ? "Reading …" : "Click a slice to see all that is known of it."}</p>;
  return (
    <div class="details">
      <h3><Swatch cls={slice.class} /> {slice.name}</h3>
      <div class="buttons">
        <button type="button" disabled={!slice.previous} title="Previous of this name in this row (,)" onClick={() => step(-1)}>‹ previous</button>
        <button type="button" disabled={!slice.next} title="Next of this name in this row (.)" onClick={() => step(1)}>next ›</button>
        <button type="button" title="Zoom to it (F)" onClick={zoomToSelection}>zoom</button>
        {slice.parent && <button type="button" onClick={() => void select(slice.parent, true)}>parent</button>}
      </div>
      <Times slice={slice} />
      {slice.waker && (
        <section>
          <h4>Ended by <button type="button" class="key" title="Jump there" onClick={() => follow(-1)}>[</button></h4>
          <PeerLink peer={slice.waker} />
        </section>
      )}
      {!slice.waker && nobody(slice) && (
        <section>
          <h4>Ended by</h4>
          <p class="dim">{nobody(slice)}</p>
        </section>
      )}
      {slice.woken.length > 0 && (
        <section>
          <h4>Woke {slice.woken.length} <button type="button" class="key" title="Jump to the first" onClick={() => follow(1)}>]</button></h4>
          {slice.woken.map((peer) => <PeerLink key={`${peer.lane}.${peer.ns}`} peer={peer} />)}
        </section>
      )}
      {slice.stack.length > 0 && (
        <section>
          <h4>{stackTitle(slice)}</h4>
          <StackList frames={slice.stack} />
        </section>
      )}
      {slice.end_stack.length > 0 && (
        <section>
          <h4>Stack at the end</h4>
          <StackList frames={slice.end_stack} />
        </section>
      )}
    </div>
  );
}
