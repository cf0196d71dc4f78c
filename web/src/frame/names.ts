// The texts of slice names by id, fetched once and as the index finds more.

import type { Names } from "../api/answers";
import { getJson, query } from "../api/api";
import { signal } from "@preact/signals-core";

const texts: string[] = [];
/** Changes when there are more names. */
export const namesKnown = signal(0);
let asking: Promise<void> | null = null;

export function nameText(id: number): string {
  return texts[id] ?? "";
}

export function namesTake(answer: Names): void {
  if (answer.from !== texts.length || !answer.names.length) return;
  for (const name of answer.names) texts.push(name);
  namesKnown.value = texts.length;
}

/** Fetches what is new; one request at a time. */
export function namesUpdate(): Promise<void> {
  asking ??= (async () => {
    try {
      namesTake(await getJson<Names>(`/api/names${query({ from: texts.length })}`));
    } finally {
      asking = null;
    }
  })();
  return asking;
}
