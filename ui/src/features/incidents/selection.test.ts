import { expect, test } from "vitest";
import { toggled, visible } from "./selection.ts";

const shown = [9, 7, 5, 3, 1];

test("one is selected, and again is not", () => {
  const one = toggled(new Set(), shown, 5, null, false);
  expect([...one]).toEqual([5]);
  expect([...toggled(one, shown, 5, 5, false)]).toEqual([]);
});

test("with shift all from the last to this one become as this one", () => {
  const range = toggled(new Set([7]), shown, 1, 7, true);
  expect(visible(range, shown)).toEqual([7, 5, 3, 1]);
  expect(visible(toggled(range, shown, 7, 1, true), shown)).toEqual([]);
  expect(visible(toggled(new Set(), shown, 3, 42, true), shown)).toEqual([3]);
});

test("what isn't shown any more isn't selected", () => {
  expect(visible(new Set([7, 42]), shown)).toEqual([7]);
});
