// The top table: functions by what they cost themselves and with what they call.

import { useMemo } from "preact/hooks";
import type { Flame, Top, TopRow } from "../api/answers";
import { FlameBar, nothing, search, sourcePath, useProfile } from "../flame/flame_source";
import { flameTree, frameMatcher, topRows } from "../flame/flame_tree";
import { isProfile, page } from "../frame/store";
import { SortedTable, type Column } from "../panels/sorted_table";
import { nameOf, placeOf } from "../panels/stack";
import { percent, quantity } from "../timeline/time";
import { Answered, useAnswer } from "./answer";

function useTop(path: string | null): { value: Top | null; error: string } {
  const answer = useAnswer<Flame | Top>(path);
  const value = useMemo(() => {
    if (!answer.value) return null;
    if ("rows" in answer.value) return answer.value;
    const tree = flameTree(answer.value);
    return { unit: tree.unit, total: tree.total, rows: topRows(tree) };
  }, [answer.value]);
  return { value, error: answer.error };
}

/** What became more or less against the base profile; a sign, not only a colour, says which. */
function changes(top: Top): Column<TopRow>[] {
  const signed = (now: number, base: number) => <span>{now > base ? "+" : ""}{quantity(now - base, top.unit)}</span>;
  return [
    { title: "Change", number: true, value: (row) => Math.abs(row.self - (row.base_self ?? 0)), cell: (row) => signed(row.self, row.base_self ?? 0) },
    { title: "With calls", number: true, value: (row) => Math.abs(row.total - (row.base_total ?? 0)), cell: (row) => signed(row.total, row.base_total ?? 0) },
  ];
}

export function TopPage() {
  const profile = useProfile();
  const answer = useTop(sourcePath(isProfile.value ? "top" : "flame", profile));
  const matcher = frameMatcher(search.value);
  const share = (top: Top, of: (row: TopRow) => number) => (row: TopRow) => (
    <>{quantity(of(row), top.unit)} <span class="dim">{percent(of(row), top.total)}</span></>
  );
  return (
    <div class="sheet">
      <h1 class="only-read">Top functions</h1>
      <FlameBar profile={profile} said={typeof matcher === "string" ? matcher : ""} />
      <Answered answer={answer}>
        {(top) => {
          const rows = typeof matcher === "function" ? top.rows.filter((row) => matcher(row)) : top.rows;
          const hasBase = top.rows.some((row) => row.base_self !== undefined); // its changes are what one looks for then
          if (!top.rows.length) return <p class="empty">{nothing()}</p>;
          return (
            <SortedTable
              label="Functions"
              rows={rows}
              sort={0}
              keyOf={(row) => `${row.function}/${row.file}/${row.module}`}
              onPick={(row) => {
                search.value = row.function;
                page.value = "flame";
              }}
              columns={[
                ...(hasBase ? changes(top) : []),
                { title: "Self", number: true, minor: hasBase, value: (row) => row.self, cell: share(top, (row) => row.self) },
                { title: "Total", number: true, minor: hasBase, value: (row) => row.total, cell: share(top, (row) => row.total) },
                { title: "Function", value: (row) => row.function, cell: (row) => <code>{nameOf(row)}</code> },
                { title: "Place", value: (row) => placeOf(row), cell: (row) => <span title={`${row.file}:${row.line}`}>{placeOf(row)}</span> },
                { title: "Module", minor: true, value: (row) => row.module, cell: (row) => <span class="dim">{row.module.split("/").pop()}</span> },
              ]}
            />
          );
        }}
      </Answered>
    </div>
  );
}
