import { expect, test } from "vitest";
import { columns, ends, type Gap, gapAt, nearest, type Point, thinned, zoomed } from "./data.ts";

const second = (at: number) => new Date(at * 1000).toISOString();

function point(at: number, value: number, band: [number, number] | null = null): Point {
  return {
    ts: second(at),
    value,
    expected: band ? (band[0] + band[1]) / 2 : null,
    lower: band?.[0] ?? null,
    upper: band?.[1] ?? null,
    prediction: "Normal",
    severity: "Normal",
    score: null,
    part: "history",
  };
}

const gap = (from: number, to: number): Gap => ({
  from: second(from),
  to: second(to),
  reason: "stale",
  detail: "",
});

test("the line breaks in a gap and reaches to both ends", () => {
  const drawn = columns([point(10, 1), point(20, 2), point(60, 3)], [gap(20, 60)], { from: 0, to: 70_000 });
  expect(drawn).toEqual([
    [0, 10, 20, 40, 60, 70],
    [null, 1, 2, null, 3, null],
  ]);
});

test("points outside the range don't cut the line at its ends", () => {
  const drawn = columns([point(10, 1), point(20, 2)], [], { from: 15_000, to: 16_000 });
  expect(drawn).toEqual([
    [10, 20],
    [1, 2],
  ]);
});

test("without points an axis has ends", () => {
  expect(ends([], [1000, null])).toEqual([0, 1000]);
  expect(ends([], [null, null])).toEqual([0, 1]);
});

test("a threshold near the values is within the ends, one far away isn't", () => {
  const [, near] = ends([point(0, 600), point(1, 100)], [1000, 3000]);
  expect(near).toBeGreaterThan(1000);
  expect(near).toBeLessThan(1200);
  const [, far] = ends([point(0, 28), point(1, 10)], [85, 95]);
  expect(far).toBeLessThan(40);
});

test("a band below zero does not move the axis below zero where no value is", () => {
  expect(ends([point(0, 0, [-2, 2])], [5, 20])[0]).toBe(0);
  expect(ends([point(0, -1, [-2, 2])], [])[0]).toBeLessThan(-2);
});

test("values far from zero are not drawn from zero", () => {
  expect(ends([point(0, 100), point(1, 99)], [])[0]).toBeGreaterThan(98);
});

test("the same value everywhere still has an axis", () => {
  const [low, high] = ends([point(0, 0), point(1, 0)], []);
  expect(low).toBe(0);
  expect(high).toBeGreaterThan(0);
});

test("the nearest point in time is found", () => {
  const points = [point(10, 1), point(20, 2), point(60, 3)];
  expect([0, 14_000, 16_000, 39_000, 41_000, 99_000].map((at) => nearest(points, at))).toEqual([
    0, 0, 1, 1, 2, 2,
  ]);
  expect(nearest([], 5)).toBe(-1);
});

test("an instant lies in a gap or in none", () => {
  const gaps = [gap(20, 60)];
  expect(gapAt(gaps, 40_000)).toBe(gaps[0]);
  expect(gapAt(gaps, 20_000)).toBeNull();
});

test("zooming keeps what is under the cursor in its place", () => {
  expect(zoomed({ from: 0, to: 100_000 }, 25_000, 0.5)).toEqual({ from: 12_500, to: 62_500 });
  expect(zoomed({ from: 0, to: 100_000 }, 50_000, 2)).toEqual({ from: -50_000, to: 150_000 });
  expect(zoomed({ from: 0, to: 2_000 }, 1_000, 0.5)).toEqual({ from: 0, to: 2_000 });
});

test("shapes leave room for each other", () => {
  expect(thinned([0, 3, 8, 9, 17], 8)).toEqual([0, 2, 4]);
});
