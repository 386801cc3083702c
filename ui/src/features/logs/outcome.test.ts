import { expect, test } from "vitest";
import { rangeOf } from "@/lib/time.ts";
import { nearestOf } from "./outcome.ts";

const window = { from: Date.parse("2026-11-23T05:00:00Z"), to: Date.parse("2026-11-23T05:01:00Z") };

/** Whether the range that is offered holds a line so far from the window. */
function holds(detail: string, at: string): boolean {
  const range = rangeOf(nearestOf(detail, window)?.range ?? "", 0);
  return range !== null && range.from <= Date.parse(at) && Date.parse(at) <= range.to;
}

test("the way to the nearest line is known from the sentence", () => {
  const detail = "nearest line 2 h 22 m after the window; a window of ±6 h has 300 lines";
  expect(nearestOf(detail, window)?.distance).toBe("2 h 22 m after");
  expect(holds(detail, "2026-11-23T07:23:00Z")).toBe(true);
  expect(holds(detail, "2026-11-23T07:23:59Z")).toBe(true);
});

test("lines before, and lines far away, are met too", () => {
  expect(holds("nearest line 591 ms before the window", "2026-11-23T04:59:59.409Z")).toBe(true);
  expect(holds("nearest line 3 d 4 h before the window", "2026-11-20T00:10:00Z")).toBe(true);
});

test("where no line is named there is no way", () => {
  expect(nearestOf("the log has no lines with a time", window)).toBeNull();
  expect(nearestOf(null, window)).toBeNull();
});
