// What the flame graph and the top table are of: a kind of sample of the trace and a range, or a type of an opened profile.

import { signal } from "@preact/signals";
import type { Profile } from "../api/answers";
import { query } from "../api/api";
import { isProfile, range } from "../frame/store";
import { duration } from "../timeline/time";
import { useAnswer } from "../pages/answer";

export const kind = signal<"cpu" | "alloc" | "wait">("cpu");
export const type = signal<number | null>(null);
export const diff = signal(true);
export const search = signal("");
export const focus = signal(0);

export const KINDS = [
  { value: "cpu", text: "CPU" },
  { value: "wait", text: "Waiting" },
  { value: "alloc", text: "Allocations" },
] as const;

export function useProfile(): Profile | null {
  return useAnswer<Profile>(isProfile.value ? "/api/profile" : null).value;
}

/** Where the numbers are; null while the profile's types are not known. */
export function sourcePath(what: "flame" | "top", profile: Profile | null): string | null {
  if (isProfile.value) {
    if (!profile) return null;
    return `/api/profile/${what}${query({ type: type.value ?? profile.default ?? 0, base: profile.base && diff.value ? 1 : 0 })}`;
  }
  const at = range.value;
  return `/api/flame${query({ kind: kind.value, from: at && Math.floor(at.start), to: at && Math.ceil(at.end) })}`;
}

function Switch({ profile }: { profile: Profile | null }) {
  if (!isProfile.value) {
    return (
      <div class="switch" role="group" aria-label="Samples">
        {KINDS.map((each) => (
          <button key={each.value} type="button" aria-pressed={kind.value === each.value} onClick={() => { kind.value = each.value; focus.value = 0; }}>{each.text}</button>
        ))}
      </div>
    );
  }
  const now = type.value ?? profile?.default ?? 0;
  return (
    <div class="switch" role="group" aria-label="Sample type">
      {profile?.types.map((each, at) => (
        <button key={each.name} type="button" aria-pressed={now === at} onClick={() => { type.value = at; focus.value = 0; }}>{each.name}</button>
      ))}
    </div>
  );
}

export function FlameBar({ profile, said }: { profile: Profile | null; said: string }) {
  const at = range.value;
  return (
    <div class="toolbar">
      <Switch profile={profile} />
      {profile?.base && <button type="button" aria-pressed={diff.value} onClick={() => { diff.value = !diff.value; }}>Against the base</button>}
      <input type="search" class="filter" aria-label="Find functions" placeholder="Find: name or /regex/" value={search.value} onInput={(event) => { search.value = event.currentTarget.value; }} />
      {said && <span class="dim" role="status">{said}</span>}
      {!isProfile.value && (at ? (
        <button type="button" title="Back to the whole trace" onClick={() => { range.value = null; }}>range of {duration(at.end - at.start)} ×</button>
      ) : <span class="dim">of the whole trace</span>)}
      {focus.value > 0 && <button type="button" onClick={() => { focus.value = 0; }}>Reset zoom</button>}
    </div>
  );
}

export function nothing(): string {
  if (isProfile.value) return "The profile holds no samples of this type.";
  if (kind.value === "cpu") return "There are no CPU samples here: record with CPU profiling on to have some.";
  if (kind.value === "alloc") return "There are no allocation samples here: record with heap profiling on to have some.";
  return "No thread waited here.";
}
