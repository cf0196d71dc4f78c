// A table that sorts by the column one clicks; only as many rows as a person can take in are drawn at once.

import type { ComponentChildren } from "preact";
import { useMemo, useState } from "preact/hooks";

export type Column<T> = {
  title: string;
  number?: boolean;
  minor?: boolean; // left out where there is little room
  value: (row: T) => number | string;
  cell?: (row: T) => ComponentChildren;
};

type Props<T> = {
  label: string;
  rows: readonly T[];
  columns: Column<T>[];
  sort?: number; // the column it is sorted by at first
  keyOf: (row: T, at: number) => string;
  onPick?: (row: T, at: number) => void;
  picked?: (row: T) => boolean;
};

const CHUNK = 200;

function classOf<T>(column: Column<T>): string {
  return `${column.number ? "number" : ""} ${column.minor ? "minor" : ""}`;
}

function compare(a: number | string, b: number | string): number {
  return typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), undefined, { numeric: true });
}

export function SortedTable<T>({ label, rows, columns, sort = -1, keyOf, onPick, picked }: Props<T>) {
  const [by, setBy] = useState({ column: sort, down: true });
  const [shown, setShown] = useState(CHUNK);
  const sorted = useMemo(() => {
    const column = columns[by.column];
    const list = rows.map((row, at) => ({ row, at }));
    if (column) list.sort((a, b) => compare(column.value(a.row), column.value(b.row)) * (by.down ? -1 : 1) || a.at - b.at);
    return list;
  }, [rows, by.column, by.down]);
  return (
    <div class="table">
      <table aria-label={label}>
        <thead>
          <tr>
            {columns.map((column, at) => (
              <th key={column.title} class={classOf(column)} aria-sort={by.column === at ? (by.down ? "descending" : "ascending") : "none"}>
                <button type="button" onClick={() => setBy({ column: at, down: by.column === at ? !by.down : !!column.number })}>
                  {column.title}
                  <span aria-hidden="true">{by.column === at ? (by.down ? " ▾" : " ▴") : ""}</span>
                </button>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {sorted.slice(0, shown).map(({ row, at }) => (
            <tr
              key={keyOf(row, at)}
              class={`${onPick ? "pick" : ""} ${picked?.(row) ? "picked" : ""}`}
              tabIndex={onPick ? 0 : undefined}
              onClick={onPick && (() => onPick(row, at))}
              onKeyDown={onPick && ((event: KeyboardEvent) => {
                if (event.key === "Enter" || event.key === " ") {
                  event.preventDefault();
                  onPick(row, at);
                }
              })}
            >
              {columns.map((column) => (
                <td key={column.title} class={classOf(column)}>{column.cell ? column.cell(row) : column.value(row)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
      {sorted.length > shown && (
        <button type="button" onClick={() => setShown(shown + CHUNK * 5)}>{sorted.length - shown} more rows</button>
      )}
    </div>
  );
}
