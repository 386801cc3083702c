import { expect, test } from "vitest";
import { sparkPath } from "./spark.ts";

test("a line goes from corner to corner", () => {
  expect(sparkPath([0, 10], 103, 23)).toBe("M1.5 21.5L101.5 1.5");
});

test("gaps are gaps, and a value alone is a dot", () => {
  expect(sparkPath([0, null, 10, 10], 103, 23)).toBe("M1.5 21.5h0M68.2 1.5L101.5 1.5");
});

test("what does not change runs through the middle", () => {
  expect(sparkPath([5, 5], 103, 20)).toBe("M1.5 10L101.5 10");
});

test("nothing is drawn of nothing", () => {
  expect([sparkPath([], 100, 20), sparkPath([null, null], 100, 20)]).toEqual(["", ""]);
});
