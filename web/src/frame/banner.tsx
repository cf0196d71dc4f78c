// Says in a sentence what a person must know before they trust what they see, and how far indexing is.

import { count, duration } from "../timeline/time";
import { isProfile, lanesError, live, meta, progress, span, trouble, unkept } from "./store";

function Indexing() {
  const now = progress.value;
  if (!now || now.state !== "building" || live.value) return null;
  const percent = Math.round(Math.min(1, Math.max(0, now.part)) * 100);
  const left = now.seconds_left === null ? "" : `, about ${duration(Math.max(1, Math.ceil(now.seconds_left)) * 1e9)} left`;
  return (
    <div class="indexing" role="progressbar" aria-label="Indexing" aria-valuemin={0} aria-valuemax={100} aria-valuenow={percent}>
      <div class="bar" style={{ width: `${percent}%` }} />
      <span>
        Indexing: {percent} %{left}. What is indexed can be looked at already.
      </span>
    </div>
  );
}

export function Banner() {
  const at = meta.value;
  const said: { kind: string; text: string }[] = [];
  if (trouble.value && at) said.push({ kind: "bad", text: trouble.value.text });
  if (lanesError.value && !progress.value?.error) said.push({ kind: "bad", text: lanesError.value });
  if (progress.value?.state === "failed") said.push({ kind: "bad", text: progress.value.error ?? "The trace could not be indexed." });
  else if (progress.value?.error && progress.value.error !== at?.trace.damage) said.push({ kind: "warn", text: progress.value.error });
  if (unkept.value) said.push({ kind: "bad", text: unkept.value });
  if (at?.trace.damage) said.push({ kind: "warn", text: at.trace.damage });
  if (at && at.trace.lost > 0)
    said.push({ kind: "warn", text: `${count(at.trace.lost)} events were lost while recording: hatched places are gaps, not rest.` });
  if (at && !isProfile.value && at.trace.events === 0 && progress.value?.state !== "building")
    said.push({ kind: "warn", text: "This trace holds no events: nothing happened while it was recorded, or it was not running yet." });
  else if (at && !isProfile.value && span.value === 0 && progress.value?.state === "ready")
    said.push({ kind: "warn", text: "All events of this trace carry the same time." });
  return (
    <>
      <Indexing />
      {said.map((each) => (
        <p key={each.text} class={`banner ${each.kind}`} role={each.kind === "bad" ? "alert" : undefined}>
          {each.text}
        </p>
      ))}
    </>
  );
}
