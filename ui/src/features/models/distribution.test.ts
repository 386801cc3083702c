import { expect, test } from "vitest";
import { distributionOf, percent } from "./distribution.ts";

const row = (score: number | null, minute = 0) => ({
  score,
  timestamp: new Date(Date.parse("2026-11-23T07:00:00Z") + minute * 60_000).toISOString(),
});

test("scores are counted by powers of ten, the capped ones in the last", () => {
  const found = distributionOf([row(0), row(0.99, 1), row(1, 2), row(7.4, 3), row(8, 4)]);
  expect(found.buckets.map(({ count }) => count)).toEqual([2, 1, 0, 0, 0, 0, 0, 2]);
  expect(found.buckets[0]?.share).toBe(0.4);
  expect([found.firstAt, found.lastAt]).toEqual(["2026-11-23T07:00:00.000Z", "2026-11-23T07:04:00.000Z"]);
});

test("rows without a score are counted apart", () => {
  expect(distributionOf([row(null), row(null), row(0.3)])).toMatchObject({ scored: 1, unscored: 2 });
  expect(distributionOf([])).toMatchObject({ scored: 0, firstAt: null });
});

test("chance gives everything together", () => {
  const { buckets } = distributionOf([]);
  expect(buckets.reduce((sum, { byChance }) => sum + byChance, 0)).toBeCloseTo(1, 12);
  expect(buckets.map(({ words }) => words).slice(0, 2)).toEqual([
    "more often than 1 in 10",
    "1 in 10 to 1 in 100",
  ]);
});

test("small shares keep their digits", () => {
  const told = [0, 0.9, 0.0123, 0.0009, 0.00000009, 1].map(percent);
  expect(told.map((text) => text.replace("\u202f", " "))).toEqual([
    "0 %",
    "90 %",
    "1.2 %",
    "0.09 %",
    "0.000009 %",
    "100 %",
  ]);
});
