// What happened in the selected range: names, states by lane, and a flame graph of it.

import { useEffect, useState } from "preact/hooks";
import type { NameTotal, Range } from "../api/answers";
import { getJson, isAbort, query, wordsOf } from "../api/api";
import { zoomToSelection } from "../frame/actions";
import { laneById, laneTitle, meta, range, type Span } from "../frame/store";
import { instant } from "../timeline/hover_card";
import { Swatch } from "../timeline/swatch";
import { count, duration } from "../timeline/time";
import { RangeFlame } from "./range_flame";
import { StateBar } from "./state_bar";
import { SortedTable, type Column } from "./sorted_table";

const COLUMNS: Column<NameTotal>[] = [
  { title: "Name", value: (row) => row.name, cell: (row) => <><Swatch cls={row.class} /> {row.name}</> },
  { title: "Count", number: true, value: (row) => row.count, cell: (row) => count(row.count) },
  { title: "Total", number: true, value: (row) => row.total_ns, cell: (row) => duration(row.total_ns) },
  { title: "Mean", number: true, value: (row) => row.total_ns / Math.max(1, row.count), cell: (row) => duration(row.total_ns / Math.max(1, row.count)) },
  { title: "Most", number: true, value: (row) => row.max_ns, cell: (row) => duration(row.max_ns) },
  { title: "Least", number: true, value: (row) => row.min_ns, cell: (row) => duration(row.min_ns) },
];
const LANES = 40;

function States({ answer }: { answer: Range }) {
  const classes = meta.value?.classes ?? [];
  const busy = (states: number[]) => states[1] ?? 0;
  const rows = answer.states
    .filter((row) => laneById.value.get(row.lane)?.kind === "thread" && row.class.some((ns) => ns > 0))
    .sort((a, b) => busy(b.class) - busy(a.class));
  return (
    <section>
      <h4>States by thread</h4>
      {rows.slice(0, LANES).map((row) => (
        <div class="state-line" key={row.lane}>
          <span class="title" title={laneTitle(row.lane)}>{laneTitle(row.lane)}</span>
          <StateBar states={row.class} classes={classes} />
        </div>
      ))}
      {rows.length > LANES && <p class="dim">and {rows.length - LANES} more threads</p>}
    </section>
  );
}

export function RangePanel() {
  const at = range.value;
  const [answer, setAnswer] = useState<Range | string | null>(null);
  const [settled, setSettled] = useState<Span | null>(null); // what the answer is of
  useEffect(() => {
    if (!at) return undefined;
    const controller = new AbortController();
    const timer = window.setTimeout(() => {
      setSettled(at);
      getJson<Range>(`/api/range${query({ from: Math.floor(at.start), to: Math.ceil(at.end) })}`, controller.signal)
        .then(setAnswer)
        .catch((cause: unknown) => {
          if (!isAbort(cause)) setAnswer(wordsOf(cause));
        });
    }, 120);
    return () => {
      window.clearTimeout(timer);
      controller.abort();
    };
  }, [at?.start, at?.end]);
  if (!at) return <p class="empty">Drag over the time axis, or Shift+drag over the lanes, to select a range.</p>;
  return (
    <div class="range">
      <dl class="facts">
        <dt>Length</dt><dd><b>{duration(at.end - at.start)}</b></dd>
        <dt>From</dt><dd>{instant(at.start, 1)}</dd>
        <dt>To</dt><dd>{instant(at.end, 1)}</dd>
      </dl>
      <div class="buttons">
        <button type="button" title="Zoom to it (F)" onClick={zoomToSelection}>zoom</button>
        <button type="button" onClick={() => { range.value = null; }}>clear</button>
      </div>
      {typeof answer === "string" && <p class="banner bad" role="alert">{answer}</p>}
      {answer === null && <p class="empty">Adding up …</p>}
      {answer && typeof answer === "object" && (
        <>
          <States answer={answer} />
          {settled && <RangeFlame of={settled} />}
          <section>
            <h4>By name</h4>
            <SortedTable label="Totals by name" rows={answer.names} columns={COLUMNS} sort={2} keyOf={(row) => `${row.name}/${row.class}`} />
          </section>
        </>
      )}
    </div>
  );
}
