// Threads by start routine: how many, how long, and in which states.

import type { ThreadGroup } from "../api/answers";
import { filter, meta, page } from "../frame/store";
import { SortedTable } from "../panels/sorted_table";
import { StateBar, StateKey } from "../panels/state_bar";
import { count, duration, percent } from "../timeline/time";
import { Answered, useAnswer } from "./answer";

const total = (row: ThreadGroup) => row.states.reduce((sum, ns) => sum + ns, 0);
const WAITS = [3, 4, 5];
const CALLS = [8, 9, 10];
const sum = (row: ThreadGroup, classes: number[]) => classes.reduce((all, cls) => all + (row.states[cls] ?? 0), 0);

export function ThreadsPage() {
  const answer = useAnswer<ThreadGroup[]>("/api/threads");
  const classes = meta.value?.classes ?? [];
  const program = (id: number) => meta.value?.programs.find((each) => each.id === id);
  const several = (meta.value?.programs.length ?? 0) > 1;
  const ns = (of: (row: ThreadGroup) => number) => (row: ThreadGroup) => (of(row) ? <>{duration(of(row))} <span class="dim">{percent(of(row), total(row))}</span></> : <span class="dim">–</span>);
  return (
    <div class="sheet">
      <h1>Threads by start routine</h1>
      <Answered answer={answer}>
        {(rows) => (
          <>
            <StateKey cls={[1, 2, 3, 4, 5, 6, 7, 8, 9].filter((cls) => rows.some((row) => row.states[cls] > 0))} classes={classes} />
            <SortedTable
              label="Threads by start routine"
              rows={rows}
              sort={3}
              keyOf={(row) => `${row.program}/${row.group}`}
              onPick={(row) => {
                filter.value = row.group;
                page.value = "timeline";
              }}
              columns={[
                { title: "Start routine", value: (row) => row.group || "(none)", cell: (row) => <>{row.group ? <code>{row.group}</code> : <span class="dim">main thread, or not known</span>}{several && <span class="dim"> {program(row.program)?.name} {program(row.program)?.pid}</span>}</> },
                { title: "Threads", number: true, value: (row) => row.count, cell: (row) => count(row.count) },
                { title: "Lived", number: true, minor: true, value: (row) => row.total_ns, cell: (row) => duration(row.total_ns) },
                { title: "Running", number: true, value: (row) => row.states[1] ?? 0, cell: ns((row) => row.states[1] ?? 0) },
                { title: "Waiting", number: true, value: (row) => sum(row, WAITS), cell: ns((row) => sum(row, WAITS)) },
                { title: "Calls", number: true, minor: true, value: (row) => sum(row, CALLS), cell: ns((row) => sum(row, CALLS)) },
                { title: "States", value: (row) => total(row), cell: (row) => <StateBar states={row.states} classes={classes} /> },
              ]}
            />
          </>
        )}
      </Answered>
    </div>
  );
}
