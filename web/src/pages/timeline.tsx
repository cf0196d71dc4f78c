// The timeline: minimap, axis, lanes with their titles, and the panel beside them.

import { useLayoutEffect, useRef } from "preact/hooks";
import { effect } from "@preact/signals";
import { loadFlows, scrollTo } from "../frame/actions";
import { theServer } from "../frame/server";
import { theme } from "../frame/theme";
import * as store from "../frame/store";
import { SidePanel } from "../panels/side";
import { AxisBar } from "../timeline/axis_bar";
import { Divider } from "../timeline/divider";
import { Heads } from "../timeline/heads";
import { HoverCard } from "../timeline/hover_card";
import { attachPointer } from "../timeline/pointer";
import { Minimap } from "../timeline/minimap";
import { stageNow } from "../timeline/stage_now";
import { Stage } from "../timeline/stage";
import { Toolbar } from "../timeline/toolbar";

const FLOWS_MS = 150;

function bringToSight(scroller: HTMLElement, row: number): void {
  const placed = store.layout.value.placed.get(row);
  if (!placed) return;
  const [top, bottom] = [placed.y - 30, placed.y + placed.h + 30];
  if (top < scroller.scrollTop) scroller.scrollTop = Math.max(0, top - scroller.clientHeight / 4);
  else if (bottom > scroller.scrollTop + scroller.clientHeight) scroller.scrollTop = bottom - scroller.clientHeight * 0.75;
}

export function TimelinePage() {
  const scroller = useRef<HTMLDivElement>(null);
  const main = useRef<HTMLCanvasElement>(null);
  const over = useRef<HTMLCanvasElement>(null);
  // Before the first frame is painted: tiles come meanwhile.
  useLayoutEffect(() => {
    if (!scroller.current || !main.current || !over.current) return undefined;
    const parts = { scroller: scroller.current, main: main.current, over: over.current };
    const stage = new Stage(parts, theServer(), () => theme.value);
    stageNow.value = stage;
    const detach = attachPointer(stage, parts);
    scrollTo.value = (row) => bringToSight(parts.scroller, row);
    const recolour = effect(() => {
      void theme.value;
      requestAnimationFrame(() => stage.recolour());
    });
    let timer = 0;
    const flows = effect(() => {
      void [store.view.value, store.showFlows.value];
      window.clearTimeout(timer);
      timer = window.setTimeout(() => {
        const items = store.layout.value.between(stage.top, stage.top + stage.height);
        void loadFlows([...new Set(items.flatMap((item) => (item.lane ? [item.lane.id] : [])))]);
      }, FLOWS_MS);
    });
    return () => {
      window.clearTimeout(timer);
      recolour();
      flows();
      detach();
      scrollTo.value = null;
      stageNow.value = null;
      stage.close();
    };
  }, []);
  return (
    <div class={`timeline ${store.panel.value ? "with-panel" : ""}`}>
      <Toolbar />
      <Minimap />
      <AxisBar />
      <div class="scroller" ref={scroller}>
        <div class="sticky">
          <canvas class="main" ref={main} aria-hidden="true" />
          <canvas
            class="over"
            ref={over}
            tabIndex={0}
            role="application"
            aria-roledescription="timeline"
            aria-label="Timeline. Arrows move and scroll, plus and minus zoom, full stop and comma step through slices, question mark lists all keys. The panels and the Threads page say the same in words."
          />
        </div>
        <Heads scroller={scroller} />
        {store.layout.value.items.length === 0 && <p class="empty nothing">{store.filter.value ? "No lane matches the filter." : "There are no lanes yet."}</p>}
      </div>
      <Divider />
      <HoverCard />
      <SidePanel />
    </div>
  );
}
