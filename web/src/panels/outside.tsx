// Where no thread waited for another: what waited longest for what is outside, and what ended that.

import { useEffect, useState } from "preact/hooks";
import type { Hit, Search, Slice } from "../api/answers";
import { getJson, isAbort, query } from "../api/api";
import { select } from "../frame/actions";
import { laneTitle } from "../frame/store";
import { useAnswer } from "../pages/answer";
import { instant } from "../timeline/hover_card";
import { Swatch } from "../timeline/swatch";
import { duration } from "../timeline/time";
import { endedFromOutside } from "./ended";
import { SortedTable } from "./sorted_table";

const MOST = 6;
const longest = (word: string) => `/api/search${query({ q: `state:${word}`, order: "longest", limit: MOST })}`;

/** All that is known of them; of one that is missing, nothing. */
function useSlices(hits: Hit[]): Slice[] {
  const [slices, setSlices] = useState<Slice[]>([]);
  const names = hits.map(({ row, slice }) => `${row}.${slice}`).join();
  useEffect(() => {
    const controller = new AbortController();
    Promise.all(hits.map(({ row, slice }) => getJson<Slice>(`/api/slice${query({ row, slice })}`, controller.signal)))
      .then(setSlices)
      .catch((cause: unknown) => {
        if (!isAbort(cause)) setSlices([]);
      });
    return () => controller.abort();
  }, [names]);
  return slices;
}

const by = (slice: Slice) => endedFromOutside(slice) || "not known";

function Sentence({ slice }: { slice: Slice }) {
  return (
    <p class="longest">
      No thread waited for another. Longest for what is outside:{" "}
      <button type="button" class="link" onClick={() => void select(slice, true, slice.lane)}>
        {laneTitle(slice.lane)} waited {duration(slice.dur_ns)}
      </button>{" "}
      in {slice.name}; what ended it: <b>{by(slice)}</b>.
    </p>
  );
}

export function Outside() {
  const answers = [useAnswer<Search>(longest("poll")), useAnswer<Search>(longest("sleep")), useAnswer<Search>(longest("io"))];
  const found = answers.every(({ value, error }) => value || error) ? answers.flatMap(({ value }) => value?.hits ?? []) : [];
  const slices = useSlices(found.sort((a, b) => b.dur_ns - a.dur_ns).slice(0, MOST));
  if (!slices.length) return <p class="empty">No thread waited for another.</p>;
  return (
    <>
      <Sentence slice={slices[0]} />
      <SortedTable
        label="Longest waits"
        rows={slices}
        sort={3}
        keyOf={(wait) => `${wait.row}.${wait.slice}`}
        onPick={(wait) => void select(wait, true, wait.lane)}
        columns={[
          { title: "Thread", value: (wait) => laneTitle(wait.lane) },
          { title: "Waited in", value: (wait) => wait.name, cell: (wait) => <><Swatch cls={wait.class} /> {wait.name}</> },
          { title: "At", number: true, minor: true, value: (wait) => wait.start_ns, cell: (wait) => instant(wait.start_ns, 1e5) },
          { title: "For", number: true, value: (wait) => wait.dur_ns, cell: (wait) => <b>{duration(wait.dur_ns)}</b> },
          { title: "Ended by", value: by, cell: (wait) => <span class="dim">{by(wait)}</span> },
        ]}
      />
    </>
  );
}
