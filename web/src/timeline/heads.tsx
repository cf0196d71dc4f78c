// The lanes' titles at the left, as many as are in sight; each folds, pins or hides its lane.

import type { RefObject } from "preact";
import { useEffect, useState } from "preact/hooks";
import { hide, say } from "../frame/actions";
import * as store from "../frame/store";
import type { Item } from "./lanes";
import { duration, percent } from "./time";

const MARGIN = 300;
const TALL = 40; // px: two lines fit

function fold(item: Item): void {
  store.setOpen(item.key, !item.open);
  say(`${item.title} ${item.open ? "folded" : "opened"}`);
}

function LaneTools({ id, title }: { id: number; title: string }) {
  const key = store.keyOf(id);
  const isPinned = store.pinned.value.has(key);
  return (
    <span class="lane-tools">
      <button
        type="button"
        aria-pressed={isPinned}
        aria-label={`Pin ${title}`}
        title={isPinned ? "Unpin" : "Pin at the top"}
        onClick={() => {
          store.pinned.value = store.toggled(store.pinned.value, key);
        }}
      >
        <svg viewBox="0 0 12 12" aria-hidden="true"><path d="M4 1h4l-.6 4L9 7H3l1.6-2zM6 7v4" /></svg>
      </button>
      <button
        type="button"
        aria-label={`Hide ${title}`}
        title="Hide"
        onClick={() => hide(id)}
      >
        <svg viewBox="0 0 12 12" aria-hidden="true"><path d="M2.5 2.5l7 7m0-7l-7 7" /></svg>
      </button>
    </span>
  );
}

function Head({ item, tools }: { item: Item; tools: boolean }) {
  const style = { top: `${item.y}px`, height: `${item.h}px` };
  if (item.kind !== "lane") {
    return (
      <div class={`head ${item.kind}${item.key.startsWith("h") ? " host" : ""}`} style={style} role="listitem">
        <button type="button" class="folder" aria-expanded={item.open} onClick={() => fold(item)} title={item.detail || item.title}>
          <span class="turn" aria-hidden="true">{item.open ? "▾" : "▸"}</span>
          <span class="title">{item.title}</span>
          <span class="count">{item.kind === "fold" ? `× ${item.count}` : item.count}</span>
        </button>
      </div>
    );
  }
  const lane = item.lane;
  if (!lane) return null;
  const busy = store.span.value > 0 && lane.kind === "thread" ? percent(lane.busy_ns, store.span.value) : "";
  // Threads stand below the name of their process, what else there is of one does not.
  const program = lane.kind === "thread" ? store.tidOf(lane) : store.programOf(lane);
  const facts = [lane.name, program, lane.tid ? `thread ${lane.tid}` : "", lane.group, lane.busy_ns ? `busy ${duration(lane.busy_ns)}` : ""];
  return (
    <div class={`head lane indent${item.indent}${item.h >= TALL ? " tall" : ""}`} style={style} role="listitem" title={facts.filter(Boolean).join("\n")}>
      <span class="title">{lane.name}{program && <span class="dim"> {program}</span>}</span>
      {busy && <span class="count">{busy}</span>}
      {tools && <LaneTools id={lane.id} title={lane.name} />}
      {(item.deeper > 0 || store.deep.value.has(lane.id)) && (
        <button
          type="button"
          class="deeper"
          onClick={() => {
            store.deep.value = store.toggled(store.deep.value, lane.id);
          }}
        >
          {item.deeper > 0 ? `+${item.deeper} deeper` : "fewer"}
        </button>
      )}
    </div>
  );
}

export function Heads({ scroller }: { scroller: RefObject<HTMLDivElement | null> }) {
  // What nobody sees at first, beyond the window's end or before the pointer is over it, comes after the first frame.
  const [window_, setWindow] = useState({ top: 0, bottom: window.innerHeight, tools: false });
  const layout = store.layout.value;
  useEffect(() => {
    const box = scroller.current;
    if (!box) return undefined;
    const seen = () => {
      const top = Math.floor((box.scrollTop - MARGIN) / MARGIN) * MARGIN;
      const bottom = top + Math.ceil(box.clientHeight / MARGIN + 3) * MARGIN;
      setWindow((was) => (was.tools && was.top === top && was.bottom === bottom ? was : { top, bottom, tools: true }));
    };
    seen();
    box.addEventListener("scroll", seen, { passive: true });
    const sizes = new ResizeObserver(seen);
    sizes.observe(box);
    return () => {
      box.removeEventListener("scroll", seen);
      sizes.disconnect();
    };
  }, [scroller]);
  return (
    <div class="heads" style={{ height: `${layout.height + 40}px` }} role="list" aria-label="Lanes">
      {layout.between(window_.top, window_.bottom).map((item) => (
        <Head key={item.key} item={item} tools={window_.tools} />
      ))}
    </div>
  );
}
