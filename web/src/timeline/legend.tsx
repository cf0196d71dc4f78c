// What the colours mean, on demand.

import { useState } from "preact/hooks";
import { meta } from "../frame/store";
import { Swatch } from "./swatch";

export function Legend() {
  const [open, setOpen] = useState(false);
  const classes = open ? (meta.value?.classes ?? []) : [];
  return (
    <details class="legend" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Colours</summary>
      <ul>
        {classes.filter((each) => each.id > 0).map((each) => (
          <li key={each.id}>
            <Swatch cls={each.id} /> {each.name}
          </li>
        ))}
      </ul>
    </details>
  );
}
