// One question to the server for a page: its answer, or a sentence while there is none.

import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { getJson, isAbort, wordsOf } from "../api/api";
import { live, progress } from "../frame/store";

const GROWN_NS = 5e9;

/** Asks again when the path changes, or when the index knows more: of a trace that grows, every few seconds of it. */
export function useAnswer<T>(path: string | null): { value: T | null; error: string } {
  const [answer, setAnswer] = useState<{ value: T | null; error: string }>({ value: null, error: "" });
  const revision = (progress.value?.revision ?? 0) + (live.value ? Math.floor((progress.value?.covered_ns ?? 0) / GROWN_NS) : 0);
  useEffect(() => {
    if (!path) return undefined;
    const controller = new AbortController();
    getJson<T>(path, controller.signal)
      .then((value) => setAnswer({ value, error: "" }))
      .catch((cause: unknown) => {
        if (!isAbort(cause)) setAnswer({ value: null, error: wordsOf(cause) });
      });
    return () => controller.abort();
  }, [path, revision]);
  return answer;
}

export function Answered<T>({ answer, children }: { answer: { value: T | null; error: string }; children: (value: T) => ComponentChildren }) {
  if (answer.error) return <p class="banner bad" role="alert">{answer.error}</p>;
  if (answer.value === null) return <p class="empty">Reading …</p>;
  return <>{children(answer.value)}</>;
}
