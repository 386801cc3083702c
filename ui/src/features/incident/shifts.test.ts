import { expect, test } from "vitest";
import { incident } from "./fixture.ts";
import { against, effectInWords, width } from "./shifts.ts";

const { shifts } = incident.explanation;
const [lat] = shifts.items;

test("the widest bar is the strongest shift", () => {
  if (!lat) throw new Error("the demo has a shift");
  const many = [lat, { ...lat, effect: -lat.effect / 4 }];
  expect(many.map(({ effect }) => Math.round(width(effect, many)))).toEqual([100, 50]);
});

test("a shift has a direction and a size", () => {
  if (!lat) throw new Error("the demo has a shift");
  expect(effectInWords(lat)).toBe("rose, 26.9 spreads");
  expect(effectInWords({ ...lat, effect: -999, direction: "fell" })).toBe("fell, more than 999 spreads");
});

test("the time before is said", () => {
  expect(against(shifts)).toBe(", against the 9\u202fmin 2\u202fs before");
  expect(against({ ...shifts, baseline_from: null })).toBe("");
});
