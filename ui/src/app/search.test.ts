import { expect, test } from "vitest";
import { only, parseSearch, stringifySearch } from "./search.ts";

test("what looks like a number or JSON stays text, and comes back the same", () => {
  const search = { service: "42", text: '{"a":1} & more', range: "1h" };
  expect(parseSearch(stringifySearch(search))).toEqual(search);
});

test("what isn't given isn't written", () => {
  expect(stringifySearch({ a: undefined, b: "", c: null })).toBe("");
});

test("unknown names are left out", () => {
  expect(only({ service: "pay", other: "x" }, "service", "text")).toEqual({ service: "pay" });
});
