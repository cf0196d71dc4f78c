// The address: what is written is read back, and nothing odd gets in.

import { expect, it } from "vitest";
import { readAddress, writeAddress, type Address } from "../../src/frame/address_text";

const FULL: Address = {
  page: "timeline",
  view: { start: 5, end: 900 },
  range: { start: 10, end: 20 },
  slice: { row: 4503599627370495, slice: 17 },
  filter: "io-* & co",
  query: "/read|write/ dur>10ms",
  pinned: [3, 4503599627370494],
  hidden: [9],
  open: [["p0/db_worker", true], ["cpus", false]],
};
const EMPTY: Address = { page: "overview", view: null, range: null, slice: null, filter: "", query: "", pinned: [], hidden: [], open: [] };

it("reads back what it wrote", () => {
  expect(readAddress(writeAddress(FULL))).toEqual(FULL);
  expect(writeAddress(EMPTY)).toBe("#overview");
  expect(readAddress("#overview")).toEqual(EMPTY);
});

it("believes nothing", () => {
  const odd = readAddress("#<script>?v=9-5&r=a-b&s=1&pin=1,x,-3&open={}&shut=[1,%22a%22]&hide=99999999999999999");
  expect(odd).toEqual({ ...EMPTY, page: "", pinned: [1], open: [["a", false]] });
  expect(readAddress("")).toEqual({ ...EMPTY, page: "" });
});
