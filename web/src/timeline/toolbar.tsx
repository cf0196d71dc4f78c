// The line above the timeline: filter, search, zoom, flows, and what is hidden.

import { glide } from "../frame/actions";
import { pushAddress } from "../frame/address";
import { searchOrNext } from "../frame/search";
import * as store from "../frame/store";
import { spanOf, zoom } from "./viewport";
import { Legend } from "./legend";

function scale(factor: number): void {
  const view = store.view.value;
  glide(zoom(view, view.start + spanOf(view) / 2, factor, store.span.value));
}

function Search() {
  return (
    <form
      class="find"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        store.panel.value = "search";
        searchOrNext();
      }}
    >
      <input
        id="search-input"
        type="search"
        aria-label="Search"
        placeholder="Search:  read  dur>10ms  state:lock  /regex/"
        value={store.query.value}
        onInput={(event) => {
          store.query.value = event.currentTarget.value;
        }}
      />
    </form>
  );
}

export function Toolbar() {
  const hidden = store.hidden.value.size;
  return (
    <div class="toolbar" role="toolbar" aria-label="Timeline">
      <input
        class="filter"
        type="search"
        aria-label="Filter lanes"
        placeholder="Filter lanes: io-*"
        value={store.filter.value}
        onInput={(event) => {
          store.filter.value = event.currentTarget.value;
        }}
      />
      <Search />
      <div class="buttons">
        <button type="button" class="icon" aria-label="Closer" title="Closer (W, Ctrl+wheel)" onClick={() => scale(0.5)}>+</button>
        <button type="button" class="icon" aria-label="Farther" title="Farther (S)" onClick={() => scale(2)}>−</button>
        <button type="button" title="The whole trace (0)" onClick={() => { pushAddress(); glide({ start: 0, end: store.span.value }); }}>All</button>
        <button type="button" aria-pressed={store.showFlows.value} title="Draw all flows in view (O)" onClick={() => { store.showFlows.value = !store.showFlows.value; }}>Flows</button>
        <button type="button" aria-pressed={store.panel.value === "notes"} title="Bookmarks (M sets one)" onClick={() => { store.panel.value = store.panel.value === "notes" ? "" : "notes"; }}>Notes</button>
        <Legend />
        {hidden > 0 && (
          <button type="button" onClick={() => { store.hidden.value = new Set(); }}>Show {hidden} hidden</button>
        )}
      </div>
    </div>
  );
}
