// Says that the trace is still being written, how old the newest of it is, and whether the view goes along.

import { atEnd, touchesEnd } from "../timeline/live";
import { duration } from "../timeline/time";
import { glide } from "./actions";
import { follows, live, progress, setFollows, span, trouble, view } from "./store";

/** Off where it follows; else to the end, and on. */
export function toggleFollow(): void {
  if (!live.value) return;
  const going = follows.value && touchesEnd(view.value, span.value);
  setFollows(!going);
  if (!going) glide(atEnd(view.value, span.value));
}

export function Live() {
  if (!live.value) return null;
  const age = progress.value?.age_ns ?? 0;
  const old = age < 1e9 ? "< 1 s" : duration(Math.round(age / 1e9) * 1e9);
  const going = follows.value && touchesEnd(view.value, span.value);
  const said = trouble.value ? "not answering" : `${old} old`;
  return (
    <button
      type="button"
      class={trouble.value ? "live gone" : "live"}
      aria-pressed={going}
      title={going ? "The view follows what is recorded (L stops that)" : "Go to the end and follow what is recorded (L)"}
      onClick={toggleFollow}
    >
      <span class="dot" aria-hidden="true" />
      <strong>Live</strong> <span class="age">{said}</span> <span class="going">{going ? "following" : "follow"}</span>
    </button>
  );
}
