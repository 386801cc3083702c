import { expect, test } from "vitest";
import { against, amount, bytes, counted, number, range } from "./amount.ts";

test("numbers have as many digits as tell something", () => {
  expect([3400, 100.4, 22.54, 22, 0.349, 0, -1234.5].map(number)).toEqual([
    "3,400",
    "100",
    "22.5",
    "22",
    "0.35",
    "0",
    "-1,235",
  ]);
});

test("units stand behind a narrow space, and a missing value says so", () => {
  expect(amount(3400, "ms")).toBe("3,400\u202fms");
  expect(amount(3, "")).toBe("3");
  expect(amount(null, "ms")).toBe("no value");
  expect(range(220, 440, "ms")).toBe("220 to 440\u202fms");
  expect(range(null, 440, "ms")).toBeNull();
});

test("sizes and counts are words of people", () => {
  expect(bytes(1536)).toBe("1.5\u202fKiB");
  expect([0, 1, 1200].map((count) => counted(count, "service"))).toEqual([
    "0 services",
    "1 service",
    "1,200 services",
  ]);
  expect(counted(2, "query", "queries")).toBe("2 queries");
});

test("a change is a ratio where it is large and a percentage where it isn't", () => {
  expect([against(770, 100), against(112, 100), against(88, 100), against(100, 100), against(1, 0)]).toEqual([
    "7.7 times",
    "+12\u202f%",
    "\u221212\u202f%",
    "the same",
    null,
  ]);
});
