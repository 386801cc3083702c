import { expect, test } from "vitest";
import {
  askedBy,
  chosenInstant,
  hasPatterns,
  instantText,
  orderOf,
  patternsQuestionOf,
  questionOf,
  withinBytes,
} from "./question.ts";

const now = 1_795_419_300_000;

test("without a service nothing is asked", () => {
  expect(askedBy({ range: "1h" }, now)).toBeNull();
});

test("an address becomes a question", () => {
  const asked = askedBy({ service: "payments", range: "1h", level: "warn", text: "pool" }, now);
  expect(asked && questionOf(asked)).toEqual({
    service: "payments",
    from: "1795415700",
    to: "1795419300",
    level: "warn",
    text: "pool",
    order: "newest",
  });
});

test("nonsense in the address is the usual instead", () => {
  const asked = askedBy({ service: "payments", range: "yesterday", level: "loud", order: "any" }, now);
  expect(asked).toMatchObject({ rangeText: "1h", level: null, text: "", order: "newest" });
  expect(asked && asked.range.to - asked.range.from).toBe(60 * 60_000);
});

test("an instant without a range lies in the middle of two minutes, oldest first", () => {
  const asked = askedBy({ service: "payments", at: "1795419200.5" }, now);
  expect(asked).toMatchObject({
    at: 1_795_419_200_500,
    range: { from: 1_795_419_140_000, to: 1_795_419_261_000 },
    order: "oldest",
  });
});

test("an instant is chosen in local time, and stands in the address in seconds", () => {
  const at = new Date(2026, 10, 23, 14, 2, 10).getTime();
  expect(instantText("2026-11-23T14:02:10")).toBe(String(at / 1000));
  expect(chosenInstant(at)).toBe("2026-11-23T14:02:10");
  expect([instantText(""), chosenInstant(null)]).toEqual(["", ""]);
});

test("the order that is asked for wins", () => {
  expect(orderOf("oldest", "1h")).toBe("oldest");
  expect(orderOf(undefined, "1h")).toBe("newest");
  expect(orderOf(undefined, "1795415700..1795419300")).toBe("oldest");
});

test("patterns are held against as long a time before, an hour at least, a week at most", () => {
  const of = (range: string) => {
    const asked = askedBy({ service: "payments", range }, now);
    return asked && [patternsQuestionOf(asked).baseline, hasPatterns(asked)];
  };
  expect([of("15m"), of("6h"), of("7d"), of("8d")]).toEqual([
    ["3600s", true],
    ["21600s", true],
    ["604800s", true],
    ["604800s", false],
  ]);
});

test("a text is cut between letters where it is longer than the server takes", () => {
  expect(withinBytes("a".repeat(250))).toHaveLength(200);
  expect(withinBytes("ä".repeat(150))).toBe("ä".repeat(100));
  expect(withinBytes(`a${"ä".repeat(150)}`)).toBe(`a${"ä".repeat(99)}`);
});
