import { expect, test } from "vitest";
import { onceIn, scoreInWords, statisticInWords } from "./words.ts";

test("a rarity is said as how often it is seen", () => {
  expect([0, 0.13, 1, 3, 7.9, 8].map(onceIn)).toEqual([
    "1",
    "1",
    "10",
    "1,000",
    "79,432,823",
    "over 100 million",
  ]);
});

test("the forest has a score of its own, the others a distance", () => {
  const judge = { statistic: 0.704, threshold: 0.62, rarity: 2.2, speaks: false };
  expect(statisticInWords({ ...judge, name: "forest" })).toBe("0.7 of 1");
  expect(statisticInWords({ ...judge, name: "level", statistic: 105.3, threshold: null })).toBe(
    "105\u202f× usual",
  );
});

test("a score stands beside its limit, where there is one", () => {
  expect(scoreInWords(3.056, 2.5317)).toBe("3.06 of 8; an anomaly from 2.53 on");
  expect(scoreInWords(0.3, null)).toBe("0.3 of 8");
});
