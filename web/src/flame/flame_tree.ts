// A flame graph's tree: where its boxes lie, what matches a search, and the same numbers by function.  Pure.

import type { Flame, Frame, TopRow } from "../api/answers";

export type Node = {
  id: number;
  parent: number;
  frame: number;
  self: number;
  total: number;
  base: number; // the same stack's total in the base profile
  depth: number;
  children: number[];
};
export type Tree = { nodes: Node[]; frames: Frame[]; unit: string; total: number; baseTotal: number };
export type FlameBox = { id: number; x: number; width: number; depth: number };

/** Builds the tree; nodes whose parent does not come before them are dropped, with what hangs below them. */
export function flameTree(flame: Flame): Tree {
  const nodes: Node[] = [];
  flame.nodes.forEach((raw, id) => {
    const [parent, frame, self, total, , base] = raw;
    const above = id > 0 ? nodes[parent] : undefined;
    const sound = id === 0 || (above !== undefined && parent < id && above.depth >= 0);
    nodes.push({ id, parent: id ? parent : -1, frame, self, total, base: base ?? 0, depth: sound ? (above ? above.depth + 1 : 0) : -1, children: [] });
    if (sound && above) above.children.push(id);
  });
  for (const node of nodes) node.children.sort((a, b) => weight(nodes[b]) - weight(nodes[a]));
  return { nodes, frames: flame.frames, unit: flame.unit, total: flame.total, baseTotal: flame.base_total ?? nodes[0]?.base ?? 0 };
}

/** How wide a node is: in a difference, what is gone needs room too. */
export function weight(node: Node): number {
  return Math.max(Math.abs(node.total), Math.abs(node.base));
}

export function ancestors(tree: Tree, id: number): number[] {
  const path: number[] = [];
  for (let at = tree.nodes[id]; at && at.id > 0; at = tree.nodes[at.parent]) path.unshift(at.parent);
  return path;
}

/**
 * The boxes of the tree below `focus` (its ancestors span the width), x and width in parts of one, narrower ones than `least`
 * left out with what is below them.
 */
export function flameBoxes(tree: Tree, focus: number, least: number, most = 4000): FlameBox[] {
  const root = tree.nodes[focus];
  if (!root) return [];
  const boxes: FlameBox[] = ancestors(tree, focus).map((id) => ({ id, x: 0, width: 1, depth: tree.nodes[id].depth }));
  const queue: FlameBox[] = [{ id: focus, x: 0, width: 1, depth: root.depth }];
  for (let box = queue.shift(); box && boxes.length < most; box = queue.shift()) {
    boxes.push(box);
    const node = tree.nodes[box.id];
    const whole = Math.max(weight(node), node.children.reduce((sum, id) => sum + weight(tree.nodes[id]), 0));
    let x = box.x;
    for (const id of node.children) {
      const width = whole > 0 ? (weight(tree.nodes[id]) / whole) * box.width : 0;
      if (width >= least) queue.push({ id, x, width, depth: box.depth + 1 });
      x += width;
    }
  }
  return boxes;
}

/** A test for frames: text in any case, or /regex/.  Null for no search, a sentence for a regex that is none. */
export function frameMatcher(text: string): ((frame: Frame) => boolean) | null | string {
  const clean = text.trim();
  if (!clean) return null;
  const regex = /^\/(.+?)\/?$/.exec(clean);
  if (regex && clean.length > 1) {
    try {
      const test = new RegExp(regex[1], "i");
      return (frame) => test.test(frame.function) || test.test(frame.file) || test.test(frame.module);
    } catch {
      return `${clean} is no regular expression.`;
    }
  }
  const lower = clean.toLowerCase();
  return (frame) => `${frame.function}\n${frame.file}\n${frame.module}`.toLowerCase().includes(lower);
}

/** How much of the whole lies at or below a matching frame; each stack is counted once. */
export function matchedTotal(tree: Tree, matches: (frame: Frame) => boolean): number {
  let sum = 0;
  const inside: boolean[] = [];
  for (const node of tree.nodes) {
    const above = node.id > 0 && inside[node.parent];
    const own = node.id > 0 && !!tree.frames[node.frame] && matches(tree.frames[node.frame]);
    inside.push(above || own);
    if (own && !above) sum += node.total;
  }
  return sum;
}

/** Self and total by function.  A recursive function's total counts a stack once. */
export function topRows(tree: Tree): TopRow[] {
  const rows = new Map<string, TopRow>();
  const keyOf = (frame: Frame) => `${frame.function}\n${frame.file}\n${frame.module}`;
  const paths: string[][] = [];
  for (const node of tree.nodes) {
    const frame = tree.frames[node.frame];
    if (node.id === 0 || !frame || node.depth < 0) {
      paths.push([]);
      continue;
    }
    const key = keyOf(frame);
    const above = paths[node.parent] ?? [];
    const again = above.includes(key);
    paths.push(again ? above : [...above, key]);
    const row = rows.get(key) ?? { function: frame.function, file: frame.file, line: frame.line, module: frame.module, self: 0, total: 0 };
    row.self += node.self;
    if (!again) row.total += node.total;
    rows.set(key, row);
  }
  return [...rows.values()].sort((a, b) => b.self - a.self || b.total - a.total);
}
