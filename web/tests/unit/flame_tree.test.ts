// The flame graph's sums and places.

import { expect, it } from "vitest";
import { ancestors, flameBoxes, flameTree, frameMatcher, matchedTotal, topRows } from "../../src/flame/flame_tree";
import { flameOf } from "../fake/answers";

const tree = flameTree(flameOf("cpu"));
const idOf = (name: string) => tree.nodes.filter((node) => tree.frames[node.frame]?.function === name).map((node) => node.id);

it("lays children side by side inside their parent", () => {
  const boxes = new Map(flameBoxes(tree, 0, 0).map((box) => [box.id, box]));
  expect(boxes.size).toBe(tree.nodes.length);
  for (const box of boxes.values()) {
    const parent = boxes.get(tree.nodes[box.id].parent);
    if (!parent) continue;
    expect(box.depth).toBe(parent.depth + 1);
    expect(box.x >= parent.x - 1e-9 && box.x + box.width <= parent.x + parent.width + 1e-9).toBe(true);
  }
  expect(boxes.get(idOf("serve")[0])?.width).toBeCloseTo(0.7);
});

it("zooms to a node with its ancestors as wide as all", () => {
  const [serve] = idOf("serve");
  const boxes = flameBoxes(tree, serve, 0);
  expect(ancestors(tree, serve).map((id) => boxes.find((box) => box.id === id)?.width)).toEqual([1, 1]);
  expect(boxes.find((box) => box.id === idOf("parse_request")[0])?.width).toBeCloseTo(250 / 700);
  expect(flameBoxes(tree, 0, 0.3).length).toBeLessThan(tree.nodes.length);
});

it("counts a recursive function's total once", () => {
  const rows = topRows(tree);
  expect(rows.find((row) => row.function === "walk")).toMatchObject({ self: 260e5, total: 260e5 });
  expect(rows.reduce((sum, row) => sum + row.self, 0)).toBe(1e8);
  const walk = frameMatcher("walk");
  expect(typeof walk === "function" && matchedTotal(tree, walk)).toBe(260e5);
});

it("finds by text and regex, and says when a regex is none", () => {
  const run = (text: string) => {
    const matcher = frameMatcher(text);
    return typeof matcher === "function" ? tree.frames.filter(matcher).map((frame) => frame.function) : matcher;
  };
  expect([run("PARSE"), run("/^w.*k$/"), run(" "), run("/(/"), run("libc")]).toEqual([["parse_request"], ["walk"], null, "/(/ is no regular expression.", ["memcpy", "walk"]]);
});

it("survives a tree that is none", () => {
  const bent = flameTree({ unit: "ns", total: 1, frames: [], nodes: [[-1, -1, 0, 5], [7, 0, 1, 1], [1, 0, 1, 1], [2, 3, 1, 1], [0, 9, 2, 2]] });
  expect(flameBoxes(bent, 0, 0).map((box) => box.id)).toEqual([0, 4]);
  expect(topRows(bent)).toEqual([]);
  expect(flameBoxes(flameTree({ unit: "ns", total: 0, frames: [], nodes: [] }), 0, 0)).toEqual([]);
});

it("keeps what is gone as wide as it was in a difference", () => {
  const diff = flameTree({ unit: "ns", total: 10, base_total: 30, frames: [{ function: "a", file: "", line: 0, module: "" }], nodes: [[-1, -1, 0, 10, 0, 30], [0, 0, 10, 10, 10, 10], [0, 0, 0, 0, 20, 20]] });
  expect(flameBoxes(diff, 0, 0).map((box) => box.width)).toEqual([1, 2 / 3, 1 / 3]);
});
