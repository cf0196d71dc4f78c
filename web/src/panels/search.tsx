// The results of a search in a table that sorts; hits are marked in the timeline and in the minimap.

import type { Hit } from "../api/answers";
import { moreHits, nextHit, order, search, searchError, searching, showHit } from "../frame/search";
import { found, foundAt, laneTitle, query } from "../frame/store";
import { instant } from "../timeline/hover_card";
import { count, duration } from "../timeline/time";
import { SortedTable, type Column } from "./sorted_table";

const COLUMNS: Column<Hit>[] = [
  { title: "Name", value: (hit) => hit.name },
  { title: "Lane", value: (hit) => laneTitle(hit.lane) },
  { title: "Start", number: true, value: (hit) => hit.start_ns, cell: (hit) => instant(hit.start_ns, 1000) },
  { title: "Duration", number: true, value: (hit) => hit.dur_ns, cell: (hit) => duration(hit.dur_ns) },
];

const EXAMPLES = ["read", "/^pthread_.*lock/", "dur>10ms", "state:lock", "thread:io-*", "fd:7", "errno:EAGAIN"];

function Examples() {
  return (
    <div class="examples">
      <p>Text or /regex/ over names, arguments, stacks and logs; words narrow it:</p>
      {EXAMPLES.map((each) => (
        <button key={each} type="button" onClick={() => void search(each)}><code>{each}</code></button>
      ))}
    </div>
  );
}

export function SearchPanel() {
  const answer = found.value;
  if (searchError.value) return <p class="banner bad" role="alert">{searchError.value}</p>;
  if (searching.value) return <p class="empty">Searching …</p>;
  if (!answer) return <Examples />;
  if (!answer.hits.length) return <><p class="empty">Nothing in the trace matches “{query.value}”.</p><Examples /></>;
  const at = answer.hits[foundAt.value];
  return (
    <div class="results">
      <div class="buttons">
        <b>{count(answer.total)} {answer.total === 1 ? "hit" : "hits"}</b>
        {answer.more && <span class="dim"> {count(answer.hits.length)} of them here:</span>}
        {answer.total > answer.hits.length && (["time", "longest"] as const).map((each) => (
          <button key={each} type="button" aria-pressed={order.value === each} onClick={() => { order.value = each; void search(query.value); }}>
            {each === "time" ? "first" : "longest"}
          </button>
        ))}
        <button type="button" title="Previous (Shift+Enter)" onClick={() => nextHit(-1)}>‹</button>
        <button type="button" title="Next (Enter)" onClick={() => nextHit(1)}>›</button>
      </div>
      <SortedTable
        key={order.value}
        label="Hits"
        rows={answer.hits}
        sort={order.value === "longest" ? 3 : -1}
        columns={COLUMNS}
        keyOf={(hit) => `${hit.row}.${hit.slice}`}
        onPick={showHit}
        picked={(hit) => hit === at}
      />
      {answer.more && order.value === "time" && <button type="button" onClick={() => void moreHits()}>Fetch more</button>}
    </div>
  );
}
