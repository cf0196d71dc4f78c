// Times as people read them: durations, positions relative to the start, the wall clock, and back from text.

const UNITS: [string, number][] = [
  ["s", 1e9],
  ["ms", 1e6],
  ["µs", 1e3],
  ["ns", 1],
];

function trimmed(value: number, digits: number): string {
  const text = value.toFixed(digits);
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/** "1.25 ms": three significant digits, whole units below one microsecond; minutes and hours above 100 s. */
export function duration(ns: number): string {
  if (!Number.isFinite(ns)) return "–";
  const size = Math.abs(ns);
  const sign = ns < 0 ? "−" : "";
  if (size >= 100e9) {
    const seconds = Math.round(size / 1e9);
    const hours = Math.floor(seconds / 3600);
    const minutes = Math.floor((seconds % 3600) / 60);
    const rest = `${seconds % 60} s`;
    return sign + (hours ? `${hours} h ${minutes} min` : `${minutes} min ${rest}`);
  }
  for (const [unit, of] of UNITS) {
    // 999.95 of a unit would print as 1000: the greater unit takes it.
    if (size >= of * 0.9995 || unit === "ns") {
      const value = size / of;
      const digits = unit === "ns" ? 0 : value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
      return `${sign}${trimmed(value, digits)} ${unit}`;
    }
  }
  return "0 ns";
}

/** How many digits after the point of a second tell two instants `step` ns apart. */
export function digitsFor(step: number): number {
  return Math.max(0, Math.min(9, Math.ceil(-Math.log10(Math.max(step, 1) / 1e9) - 1e-9)));
}

/** "1.204 850 s": seconds since the start, digits as fine as `step` asks, in groups of three. */
export function relative(ns: number, step: number): string {
  const digits = digitsFor(step);
  const whole = Math.abs(ns);
  const seconds = Math.floor(whole / 1e9);
  const sign = ns < 0 ? "−" : "";
  if (digits === 0) return `${sign}${seconds} s`;
  const fraction = String(Math.floor(whole - seconds * 1e9)).padStart(9, "0").slice(0, digits);
  return `${sign}${seconds}.${fraction.replace(/(\d{3})(?=\d)/g, "$1\u202f")} s`;
}

export type WallClock = { startNs: bigint; zoneMinutes: number };

/** `start` is decimal ns since 1970, `zone` is "+0130"; what does not parse counts as no clock at all. */
export function wallClock(start: string, zone: string): WallClock | null {
  if (!/^\d{1,20}$/.test(start) || start === "0") return null;
  const parts = /^([+-])(\d\d):?(\d\d)$/.exec(zone);
  const minutes = parts ? (Number(parts[2]) * 60 + Number(parts[3])) * (parts[1] === "-" ? -1 : 1) : 0;
  return { startNs: BigInt(start), zoneMinutes: minutes };
}

const DAY = 86400n * 1000000000n;

/** "12:03:44.120": the time of day at `ns`, digits as fine as `step` asks. */
export function wall(ns: number, step: number, clock: WallClock): string {
  const digits = digitsFor(step);
  const local = clock.startNs + BigInt(Math.floor(ns)) + BigInt(clock.zoneMinutes) * 60000000000n;
  const ofDay = ((local % DAY) + DAY) % DAY;
  const seconds = Number(ofDay / 1000000000n);
  const two = (value: number) => String(value).padStart(2, "0");
  const text = `${two(Math.floor(seconds / 3600))}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
  if (!digits) return text;
  return `${text}.${String(ofDay % 1000000000n).padStart(9, "0").slice(0, digits)}`;
}

/** "2026-11-22", the day of the trace's start. */
export function wallDay(clock: WallClock): string {
  const ms = Number(clock.startNs / 1000000n) + clock.zoneMinutes * 60000;
  return new Date(ms).toISOString().slice(0, 10);
}

const NUMBER = /^([+-]?\d+(?:\.\d+)?)\s*(ns|us|µs|μs|ms|s|min|m|h)?$/i;
const SIZES: Record<string, number> = {
  ns: 1, us: 1e3, "µs": 1e3, "μs": 1e3, ms: 1e6, s: 1e9, m: 60e9, min: 60e9, h: 3600e9,
};

/**
 * A position typed by a person: "1.5s", "300 ms", "12.5" (seconds), "12:03:44.120" (wall clock); null when it is none.
 * A time of day before the start's is the next day's when the trace of `span` ns reaches it.
 */
export function parsePosition(text: string, clock: WallClock | null, span = 0): number | null {
  const clean = text.trim().replace(/[\u202f\u00a0_]/g, "");
  const day = /^(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?$/.exec(clean);
  if (day) return clock ? ofDay(day, clock, span) : null;
  const number = NUMBER.exec(clean);
  if (!number) return null;
  return Number(number[1]) * (SIZES[(number[2] ?? "s").toLowerCase()] ?? 1e9);
}

function ofDay(day: RegExpExecArray, clock: WallClock, span: number): number | null {
  const [hours, minutes, seconds] = [Number(day[1]), Number(day[2]), Number(day[3] ?? 0)];
  if (hours > 23 || minutes > 59 || seconds > 60) return null;
  const at = BigInt(hours * 3600 + minutes * 60 + seconds) * 1000000000n + BigInt((day[4] ?? "").padEnd(9, "0"));
  const start = clock.startNs + BigInt(clock.zoneMinutes) * 60000000000n;
  const since = at - (((start % DAY) + DAY) % DAY);
  return Number(since < 0n && Number(since + DAY) <= span ? since + DAY : since);
}

/** "12.3 MB", "840 B": bytes in powers of ten. */
export function bytes(count: number): string {
  return scaled(count, ["B", "kB", "MB", "GB", "TB", "PB"]);
}

/** "1.2 M": a count short enough for a table. */
export function count(value: number): string {
  return Math.abs(value) < 100000 ? String(Math.round(value)).replace(/(\d)(?=(\d{3})+$)/g, "$1\u202f") : scaled(value, ["", "k", "M", "G", "T", "P"]);
}

function scaled(value: number, units: string[]): string {
  let at = 0;
  let left = Math.abs(value);
  while (left >= 999.5 && at < units.length - 1) {
    left /= 1000;
    at++;
  }
  const text = trimmed(left, at === 0 || left >= 99.95 ? 0 : left >= 9.995 ? 1 : 2);
  return `${value < 0 ? "−" : ""}${text} ${units[at]}`.trim();
}

/** A value with its unit, as the profiles and counters have it. */
export function quantity(value: number, unit: string): string {
  if (unit === "ns" || unit === "nanoseconds") return duration(value);
  if (unit === "bytes" || unit === "B") return bytes(value);
  if (unit === "bytes/s") return `${bytes(value)}/s`;
  if (!unit || unit === "count") return count(value);
  return `${count(value)} ${value === 1 ? unit.replace(/s$/, "") : unit}`;
}

/** "12.3 %" */
export function percent(part: number, of: number): string {
  if (!(of > 0)) return "–";
  const value = (100 * part) / of;
  return `${value === 0 ? "0" : Math.abs(value) < 0.1 ? "<0.1" : trimmed(value, Math.abs(value) < 10 ? 1 : 0)} %`;
}
