// What ended a wait that no thread ended, as a person would say it.

/** `error`: what the call returned; null: it is not known to have failed. */
export function endedByNobody(error: string | null, lasted: boolean): string {
  if (error) return error === "ETIMEDOUT" ? "nobody: its time was up" : `nobody: ${error}`;
  return lasted ? "nobody: it lasted to the end" : "";
}
