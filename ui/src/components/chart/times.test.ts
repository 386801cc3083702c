import { expect, test } from "vitest";
import { axisTimes } from "./times.ts";

const at = (hour: number, minute = 0, second = 0) =>
  new Date(2026, 10, 23, hour, minute, second).getTime() / 1000;

test("an axis has hours and minutes, seconds where they matter, and the day at midnight", () => {
  expect(axisTimes([at(0), at(13, 30), at(14)], 1800)).toEqual(["23 Nov", "13:30", "14:00"]);
  expect(axisTimes([at(13, 30, 15), at(13, 30, 30)], 15)).toEqual(["13:30:15", "13:30:30"]);
});
