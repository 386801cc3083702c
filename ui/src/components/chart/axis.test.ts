import { expect, test } from "vitest";
import { axisNumbers, axisTimes } from "./axis.ts";

const at = (hour: number, minute = 0, second = 0) =>
  new Date(2026, 10, 23, hour, minute, second).getTime() / 1000;

test("an axis has hours and minutes, seconds where they matter, and the day at midnight", () => {
  expect(axisTimes([at(0), at(13, 30), at(14)], 1800)).toEqual(["23 Nov", "13:30", "14:00"]);
  expect(axisTimes([at(13, 30, 15), at(13, 30, 30)], 15)).toEqual(["13:30:15", "13:30:30"]);
});

test("numbers along an axis are told apart", () => {
  expect(axisNumbers([0, 0.005, 0.01], 0.005)).toEqual(["0", "0.005", "0.010"]);
  expect(axisNumbers([185, 187.5, 190], 2.5)).toEqual(["185.0", "187.5", "190.0"]);
  expect(axisNumbers([0, 1000, 2000], 1000)).toEqual(["0", "1,000", "2,000"]);
  expect(axisNumbers([0, 0.2, 0.4], 0.2)).toEqual(["0", "0.2", "0.4"]);
});
