import { expect, test } from "vitest";
import { placed } from "./labels.ts";

test("labels stand behind their marks, before them at the end, and nowhere rather than on each other", () => {
  const labels = [
    { at: 10, width: 30 },
    { at: 90, width: 30 },
    { at: 20, width: 30 },
  ];
  expect(placed(labels, 0, 100)).toEqual([14, 56, null]);
});
