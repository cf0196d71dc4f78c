// A flame graph of the selected range, in the panel: where the time, the waits or the bytes of it went.

import { useEffect, useMemo, useState } from "preact/hooks";
import type { Flame } from "../api/answers";
import { query } from "../api/api";
import { FlameGraph } from "../flame/flame_graph";
import { kind, KINDS, nothing } from "../flame/flame_source";
import { flameTree } from "../flame/flame_tree";
import { page, type Span } from "../frame/store";
import { Answered, useAnswer } from "../pages/answer";

export function RangeFlame({ of }: { of: Span }) {
  const [focus, setFocus] = useState(0);
  const path = `/api/flame${query({ kind: kind.value, from: Math.floor(of.start), to: Math.ceil(of.end) })}`;
  const answer = useAnswer<Flame>(path);
  const tree = useMemo(() => (answer.value ? flameTree(answer.value) : null), [answer.value]);
  useEffect(() => setFocus(0), [path]);
  return (
    <section class="range-flame">
      <h4>Flame graph</h4>
      <div class="buttons">
        <div class="switch" role="group" aria-label="Samples">
          {KINDS.map((each) => (
            <button key={each.value} type="button" aria-pressed={kind.value === each.value} onClick={() => { kind.value = each.value; }}>{each.text}</button>
          ))}
        </div>
        {focus > 0 && <button type="button" onClick={() => setFocus(0)}>Reset zoom</button>}
        <button type="button" title="On a page of its own" onClick={() => { page.value = "flame"; }}>larger</button>
        <button type="button" title="The same as a table" onClick={() => { page.value = "top"; }}>table</button>
      </div>
      <Answered answer={answer}>
        {() =>
          tree && tree.nodes.length > 1 ? (
            <FlameGraph tree={tree} focus={tree.nodes[focus] ? focus : 0} onFocus={setFocus} matches={null} diff={false} />
          ) : (
            <p class="empty">{nothing()}</p>
          )
        }
      </Answered>
    </section>
  );
}
