// An address' fragment and what it means: both ways, and nothing of it believed.

export type Address = {
  page: string;
  view: { start: number; end: number } | null;
  range: { start: number; end: number } | null;
  slice: { row: number; slice: number } | null; // rows and lanes by their keys
  filter: string;
  query: string;
  pinned: number[];
  hidden: number[];
  open: [string, boolean][];
};

function pair(text: string | null, between: string): [number, number] | null {
  const parts = (text ?? "").split(between);
  if (parts.length !== 2 || !parts.every((part) => /^\d{1,16}$/.test(part))) return null;
  return [Number(parts[0]), Number(parts[1])];
}

function span(text: string | null): { start: number; end: number } | null {
  const found = pair(text, "-");
  return found && found[1] > found[0] ? { start: found[0], end: found[1] } : null;
}

function ids(text: string | null): number[] {
  return (text ?? "").split(",").filter((part) => /^\d{1,16}$/.test(part)).map(Number);
}

/** "#timeline?v=0-100&s=4.17" */
export function writeAddress(to: Address): string {
  const parts = new URLSearchParams();
  const whole = (at: { start: number; end: number }) => `${Math.floor(at.start)}-${Math.ceil(at.end)}`;
  if (to.view) parts.set("v", whole(to.view));
  if (to.range) parts.set("r", whole(to.range));
  if (to.slice) parts.set("s", `${to.slice.row}.${to.slice.slice}`);
  if (to.filter) parts.set("f", to.filter);
  if (to.query) parts.set("q", to.query);
  if (to.pinned.length) parts.set("pin", to.pinned.join(","));
  if (to.hidden.length) parts.set("hide", to.hidden.join(","));
  const opened = to.open.filter(([, open]) => open).map(([key]) => key);
  const shut = to.open.filter(([, open]) => !open).map(([key]) => key);
  if (opened.length) parts.set("open", JSON.stringify(opened));
  if (shut.length) parts.set("shut", JSON.stringify(shut));
  const text = parts.toString();
  return `#${to.page}${text ? `?${text}` : ""}`;
}

function keys(text: string | null, open: boolean): [string, boolean][] {
  try {
    const list: unknown = JSON.parse(text ?? "[]");
    return Array.isArray(list) ? list.filter((key) => typeof key === "string").map((key: string) => [key, open]) : [];
  } catch {
    return [];
  }
}

export function readAddress(hash: string): Address {
  const [page, rest] = hash.replace(/^#/, "").split("?", 2);
  const parts = new URLSearchParams(rest ?? "");
  const slice = pair(parts.get("s"), ".");
  return {
    page: /^[a-z]{1,20}$/.test(page) ? page : "",
    view: span(parts.get("v")),
    range: span(parts.get("r")),
    slice: slice ? { row: slice[0], slice: slice[1] } : null,
    filter: parts.get("f") ?? "",
    query: parts.get("q") ?? "",
    pinned: ids(parts.get("pin")),
    hidden: ids(parts.get("hide")),
    open: [...keys(parts.get("open"), true), ...keys(parts.get("shut"), false)],
  };
}
