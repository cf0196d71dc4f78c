// What the colours mean, on demand.

import { meta } from "../frame/store";
import { Swatch } from "./swatch";

export function Legend() {
  const classes = meta.value?.classes ?? [];
  return (
    <details class="legend">
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
