import { expect, test } from "vitest";
import { neighbours } from "./neighbours.ts";

test("the next is the one below in the list, in whatever order that is", () => {
  expect(neighbours([9, 7, 5], 7)).toEqual({ next: 5, previous: 9 });
  expect(neighbours([5, 9, 7], 9)).toEqual({ next: 7, previous: 5 });
  expect(neighbours([9, 7], 7)).toEqual({ next: null, previous: 9 });
});

test("one that isn't in the list has its neighbours by number", () => {
  expect(neighbours([90, 89, 88], 6)).toEqual({ next: 5, previous: 7 });
  expect(neighbours([], 6)).toEqual({ next: 5, previous: null });
  expect(neighbours([], 1)).toEqual({ next: null, previous: null });
});
