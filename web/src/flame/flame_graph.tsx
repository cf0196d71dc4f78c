// The flame graph itself: boxes that are buttons; a click zooms, arrows walk, a hover says the numbers.

import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Frame } from "../api/answers";
import { rgbCss } from "../timeline/colours";
import { percent, quantity } from "../timeline/time";
import { nameOf, placeOf } from "../panels/stack";
import { ancestors, flameBoxes, weight, type Node, type Tree } from "./flame_tree";
import { diffColour, frameColour } from "./flame_colour";

const ROW = 19;
const LEAST_PX = 2.5;
const TEXT_PX = 26;

type Props = { tree: Tree; focus: number; onFocus: (id: number) => void; matches: ((frame: Frame) => boolean) | null; diff: boolean };

function name(tree: Tree, node: Node): string {
  const frame = tree.frames[node.frame];
  return node.id === 0 || !frame ? "all" : nameOf(frame);
}

function numbers(tree: Tree, node: Node, diff: boolean): string {
  if (diff) {
    const change = node.total - node.base;
    return `${change > 0 ? "+" : ""}${quantity(change, tree.unit)} (${quantity(node.base, tree.unit)} before, ${quantity(node.total, tree.unit)} now)`;
  }
  return `${quantity(node.total, tree.unit)}, ${percent(node.total, tree.total)} of all; itself ${quantity(node.self, tree.unit)}`;
}

function colour(tree: Tree, node: Node, diff: boolean): string {
  if (diff) return rgbCss(diffColour(node.total === node.base ? 0 : (node.total - node.base) / Math.max(1, weight(node))));
  return rgbCss(frameColour(node.id ? tree.frames[node.frame] : undefined));
}

function walk(tree: Tree, id: number, key: string): number | null {
  const node = tree.nodes[id];
  const siblings = tree.nodes[node.parent]?.children ?? [];
  const at = siblings.indexOf(id);
  if (key === "ArrowDown") return node.children[0] ?? null;
  if (key === "ArrowUp") return node.parent >= 0 ? node.parent : null;
  if (key === "ArrowLeft") return siblings[at - 1] ?? null;
  if (key === "ArrowRight") return siblings[at + 1] ?? null;
  return null;
}

export function FlameGraph({ tree, focus, onFocus, matches, diff }: Props) {
  const ref = useRef<HTMLDivElement>(null);
  const [width, setWidth] = useState(1000);
  const [over, setOver] = useState<number | null>(null);
  useEffect(() => {
    const box = ref.current;
    if (!box) return undefined;
    const sizes = new ResizeObserver(() => setWidth(Math.max(200, box.clientWidth)));
    sizes.observe(box);
    return () => sizes.disconnect();
  }, []);
  const boxes = useMemo(() => flameBoxes(tree, focus, LEAST_PX / width), [tree, focus, width]);
  const deepest = boxes.reduce((most, box) => Math.max(most, box.depth), 0);
  const above = useMemo(() => new Set(ancestors(tree, focus)), [tree, focus]);
  const shown = tree.nodes[over ?? focus];
  const frame = shown && shown.id > 0 ? tree.frames[shown.frame] : undefined;
  const onKeyDown = (event: KeyboardEvent) => {
    const id = Number((event.target as HTMLElement).dataset.node);
    const to = Number.isFinite(id) && tree.nodes[id] ? walk(tree, id, event.key) : null;
    if (to === null) return;
    event.preventDefault();
    event.stopPropagation();
    ref.current?.querySelector<HTMLElement>(`[data-node="${to}"]`)?.focus();
  };
  return (
    <>
      <p class="flame-now" aria-live="off">
        <b>{shown ? name(tree, shown) : ""}</b>
        {frame && <span class="dim"> {placeOf(frame)}</span>} {shown && numbers(tree, shown, diff)}
      </p>
      <div class="flame" ref={ref} style={{ height: `${(deepest + 1) * ROW + 4}px` }} role="group" aria-label="Flame graph: Tab, then arrows walk, Enter zooms" onKeyDown={onKeyDown} onPointerLeave={() => setOver(null)}>
        {boxes.map((box) => {
          const node = tree.nodes[box.id];
          const hit = matches && node.id > 0 && tree.frames[node.frame] ? matches(tree.frames[node.frame]) : false;
          const text = box.width * width > TEXT_PX ? name(tree, node) : "";
          return (
            <button
              key={box.id}
              type="button"
              data-node={box.id}
              class={`${above.has(box.id) ? "above" : ""} ${matches ? (hit ? "hit" : "miss") : ""}`}
              tabIndex={box.id === focus ? 0 : -1}
              aria-label={`${name(tree, node)}, ${numbers(tree, node, diff)}`}
              style={{ left: `${box.x * 100}%`, width: `${Math.max(0.05, box.width * 100)}%`, top: `${box.depth * ROW}px`, backgroundColor: colour(tree, node, diff) }}
              onClick={() => onFocus(box.id)}
              onFocus={() => setOver(box.id)}
              onPointerEnter={() => setOver(box.id)}
            >
              {text}
            </button>
          );
        })}
      </div>
    </>
  );
}
