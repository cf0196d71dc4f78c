// What ended a wait that no thread ended, as a person would say it.

import type { Slice } from "../api/answers";

const SLEEP = 6;
const POLL = 7;
const CALL = 8;
const BETWEEN_THREADS = new Set([3, 4, 5]);

/** `error`: what the call returned; null: it is not known to have failed. */
export function endedByNobody(error: string | null, lasted: boolean): string {
  if (error) return error === "ETIMEDOUT" ? "nobody: its time was up" : `nobody: ${error}`;
  return lasted ? "nobody: it lasted to the end" : "";
}

function byOutside({ class: cls, name, args }: Slice): string {
  const result = args.find((arg) => arg.name === "result");
  const number = result ? Number(result.value) : NaN;
  if (result?.text === "EINTR" || (cls === SLEEP && name.startsWith("sig"))) return "a signal";
  if ((number === 0 && cls !== CALL) || (!result && cls === SLEEP)) return "nobody: its time was up";
  if (cls === POLL && number > 0) return `from outside: ${number === 1 ? "a descriptor was" : `${number} descriptors were`} ready`;
  const fd = args.find((arg) => arg.name === "fd")?.text;
  return cls === CALL && fd ? `from outside: ${fd}` : "";
}

/** What ended a slice that waited, where that was no thread of the trace; empty where it is not known. */
export function endedFromOutside(slice: Slice): string {
  const error = slice.args.find((arg) => arg.name === "result")?.text ?? "";
  const outside = BETWEEN_THREADS.has(slice.class) ? "" : byOutside(slice);
  if (slice.flags.includes("cut at end")) return endedByNobody(null, true);
  return outside || endedByNobody(/^E[A-Z0-9]+$/.test(error) ? error : null, false);
}
