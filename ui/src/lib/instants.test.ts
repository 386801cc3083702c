import { expect, test } from "vitest";
import { pieces } from "./instants.ts";

test("instants are cut out of sentences, and nothing of the sentence is lost", () => {
  const sentence = "none since 2026-11-21T07:36:00.000Z was so high; the highest was at 2026-11-22T14:12:00Z";
  const cut = pieces(sentence);
  expect(cut.filter((piece) => piece.isInstant).map((piece) => piece.text)).toEqual([
    "2026-11-21T07:36:00.000Z",
    "2026-11-22T14:12:00Z",
  ]);
  expect(cut.map((piece) => piece.text).join("")).toBe(sentence);
});

test("a sentence without instants stays whole", () => {
  expect(pieces("57 log lines attached")).toEqual([
    { start: 0, text: "57 log lines attached", isInstant: false },
  ]);
  expect(pieces("")).toEqual([]);
});
