import { expect, test } from "vitest";
import { chunks, outcomeOf } from "./bulk.ts";

test("the server is asked for at most so many at once", () => {
  expect(chunks([1, 2, 3, 4, 5], 2)).toEqual([[1, 2], [3, 4], [5]]);
  expect(chunks([])).toEqual([]);
});

test("each incident has its own outcome, with why it was refused", () => {
  const outcome = outcomeOf([
    { id: 12, status: 200, problem: null },
    {
      id: 99,
      status: 404,
      problem: {
        type: "about:blank",
        title: "no such incident",
        status: 404,
        detail: "no incident has the number 99",
      },
    },
  ]);
  expect(outcome).toEqual({ done: [12], failed: [{ id: 99, why: "no incident has the number 99" }] });
});
