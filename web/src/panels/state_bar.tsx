// How a time divides into states: a bar, and the same in words for who cannot see it.

import { Swatch } from "../timeline/swatch";
import { colourOf, patternOf, rgbCss } from "../timeline/colours";
import { duration, percent } from "../timeline/time";
import { theme } from "../frame/theme";

type Named = { id: number; name: string }[];

function parts(states: number[], classes: Named): { cls: number; name: string; ns: number }[] {
  return states
    .map((ns, cls) => ({ cls, ns, name: classes.find((each) => each.id === cls)?.name ?? `class ${cls}` }))
    .filter((part) => part.ns > 0);
}

export function StateBar({ states, classes }: { states: number[]; classes: Named }) {
  const list = parts(states, classes);
  const total = list.reduce((sum, part) => sum + part.ns, 0);
  const words = list.map((part) => `${part.name} ${duration(part.ns)} (${percent(part.ns, total)})`).join(", ");
  return (
    <span class="state-bar" role="img" aria-label={words} title={words.replace(/, /g, "\n")}>
      {list.map((part) => (
        <span
          key={part.cls}
          class={patternOf(part.cls)}
          style={{ flexGrow: part.ns / total, backgroundColor: rgbCss(colourOf(part.cls, 0, theme.value)) }}
        />
      ))}
    </span>
  );
}

export function StateKey({ cls, classes }: { cls: number[]; classes: Named }) {
  return (
    <ul class="state-key">
      {cls.map((id) => (
        <li key={id}><Swatch cls={id} /> {classes.find((each) => each.id === id)?.name ?? id}</li>
      ))}
    </ul>
  );
}
