// The flame graph page: of the trace or its selected range, or of an opened profile.

import { useEffect, useMemo } from "preact/hooks";
import type { Flame } from "../api/answers";
import { FlameGraph } from "../flame/flame_graph";
import { FlameBar, diff, focus, nothing, search, sourcePath, useProfile } from "../flame/flame_source";
import { flameTree, frameMatcher, matchedTotal } from "../flame/flame_tree";
import { percent, quantity } from "../timeline/time";
import { Answered, useAnswer } from "./answer";

export function FlamePage() {
  const profile = useProfile();
  const path = sourcePath("flame", profile);
  const answer = useAnswer<Flame>(path);
  const tree = useMemo(() => (answer.value ? flameTree(answer.value) : null), [answer.value]);
  useEffect(() => {
    focus.value = 0;
  }, [path]);
  const matcher = frameMatcher(search.value);
  const matches = typeof matcher === "function" ? matcher : null;
  const part = tree && matches ? matchedTotal(tree, matches) : 0;
  const said = typeof matcher === "string" ? matcher : tree && matches ? `${quantity(part, tree.unit)}, ${percent(part, tree.total)}` : "";
  return (
    <div class="sheet flame-page">
      <h1 class="only-read">Flame graph</h1>
      <FlameBar profile={profile} said={said} />
      <Answered answer={answer}>
        {() =>
          tree && tree.nodes.length > 1 ? (
            <FlameGraph tree={tree} focus={tree.nodes[focus.value] ? focus.value : 0} onFocus={(id) => { focus.value = id; }} matches={matches} diff={!!profile?.base && diff.value} />
          ) : (
            <p class="empty">{nothing()}</p>
          )
        }
      </Answered>
    </div>
  );
}
