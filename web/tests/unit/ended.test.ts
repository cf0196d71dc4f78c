// Who or what ended a wait, where it was no thread.

import { expect, it } from "vitest";
import type { Slice } from "../../src/api/answers";
import { endedFromOutside } from "../../src/panels/ended";

const call = (cls: number, result: [string, string], more: Partial<Slice> = {}, fd = ""): string =>
  endedFromOutside({
    row: 0, slice: 0, lane: 0, name: "call", class: cls, start_ns: 0, dur_ns: 9, self_ns: 9, cpu_ns: 0, state: "", flags: [], stack: [], end_stack: [],
    args: [{ name: "fd", value: "8", text: fd }, { name: "result", value: result[0], text: result[1] }], waker: null, woken: [], parent: null, previous: null, next: null, ...more,
  });

it("says what came from outside", () => {
  expect(call(7, ["1", ""])).toBe("from outside: a descriptor was ready");
  expect(call(7, ["3", ""])).toBe("from outside: 3 descriptors were ready");
  expect(call(8, ["512", "512 B"], {}, "socket 10.0.0.1:80")).toBe("from outside: socket 10.0.0.1:80");
  expect(call(6, ["-4", "EINTR"], { name: "sigsuspend" })).toBe("a signal");
});

it("says when nobody did", () => {
  expect(call(7, ["0", ""])).toBe("nobody: its time was up");
  expect(call(6, ["0", ""])).toBe("nobody: its time was up");
  expect(call(6, ["0", ""], { args: [{ name: "asked", value: "300000000", text: "ns" }] })).toBe("nobody: its time was up");
  expect(call(4, ["-110", "ETIMEDOUT"])).toBe("nobody: its time was up");
  expect(call(8, ["-11", "EAGAIN"])).toBe("nobody: EAGAIN");
  expect(call(7, ["0", ""], { flags: ["cut at end"] })).toBe("nobody: it lasted to the end");
  expect(call(3, ["0", ""])).toBe("");
});
