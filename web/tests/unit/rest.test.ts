import { expect, it } from "vitest";
import { Rest } from "../../src/timeline/rest";

const [REST_MS, MOST_MS, APART_MS] = [80, 400, 15];
const later = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** When it was over, each time, since the first change. */
function watched(): { rest: Rest; over: number[]; began: number } {
  const over: number[] = [];
  const began = performance.now();
  return { rest: new Rest(REST_MS, MOST_MS, () => void over.push(performance.now() - began)), over, began };
}

it("is over once, a while after the last of several changes", async () => {
  const { rest, over } = watched();
  expect(rest.waits).toBe(false);
  for (let i = 0; i < 4; i++) {
    rest.changed();
    expect(rest.waits).toBe(true);
    await later(APART_MS);
  }
  while (rest.waits) await later(APART_MS);
  await later(2 * REST_MS);
  expect(over.length).toBe(1);
  expect(over[0]).toBeGreaterThanOrEqual(3 * APART_MS + REST_MS - APART_MS - 5);
});

it("does not wait for ever while changes go on", async () => {
  const { rest, over, began } = watched();
  while (!over.length && performance.now() - began < 8 * MOST_MS) {
    rest.changed();
    await later(APART_MS);
  }
  expect(over.length).toBe(1);
  expect(over[0]).toBeGreaterThanOrEqual(MOST_MS - 5);
});
