// The panel beside the timeline (below it where there is no room): one of a table.

import type { ComponentType } from "preact";
import { escape } from "../frame/actions";
import { panel } from "../frame/store";
import { DetailsPanel } from "./details";
import { NotesPanel } from "./notes";
import { RangePanel } from "./range";
import { SearchPanel } from "./search";

const PANELS: Record<string, { title: string; body: ComponentType }> = {
  details: { title: "Details", body: DetailsPanel },
  search: { title: "Search", body: SearchPanel },
  range: { title: "Range", body: RangePanel },
  notes: { title: "Bookmarks", body: NotesPanel },
};

export function SidePanel() {
  const shown = PANELS[panel.value];
  if (!shown) return null;
  const Body = shown.body;
  return (
    <aside class="panel" aria-label={shown.title}>
      <div class="panel-head">
        <h2>{shown.title}</h2>
        <button type="button" class="icon" aria-label="Close" title="Close (Esc)" onClick={escape}>×</button>
      </div>
      <div class="panel-body" tabIndex={0}>
        <Body />
      </div>
    </aside>
  );
}
