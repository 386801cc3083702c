import { expect, test } from "vitest";
import { ago, length, local, rangeOf, rangeText, seconds, span, utc } from "./time.ts";

const now = new Date(2026, 10, 23, 14, 13, 25).getTime();

test("today has a time, other days have a date with it", () => {
  expect(local(new Date(2026, 10, 23, 14, 2, 10).getTime(), now)).toBe("14:02:10");
  expect(local(new Date(2026, 9, 12, 4, 2, 10).getTime(), now)).toBe("12 Oct, 04:02:10");
  expect(local(new Date(2025, 9, 12, 4, 2, 10).getTime(), now)).toBe("12 Oct 2025, 04:02:10");
  expect(utc("2026-11-23T14:02:10.500Z")).toBe("2026-11-23 14:02:10 UTC");
});

test("lengths have their two largest units", () => {
  const lengths = [0, 999, 10_000, 11 * 60_000, 80 * 60_000, 26 * 3_600_000, 12 * 86_400_000 + 3_600_000];
  expect(lengths.map(length).map((text) => text.replaceAll("\u202f", " "))).toEqual([
    "0 s",
    "0 s",
    "10 s",
    "11 min",
    "1 h 20 min",
    "1 d 2 h",
    "12 d",
  ]);
});

test("before and after are told apart", () => {
  expect(ago(now - 10_000, now)).toBe("10\u202fs ago");
  expect(ago(now + 3 * 3_600_000, now)).toBe("in 3\u202fh");
  expect(ago(now - 400, now)).toBe("now");
});

test("ranges in an address are read, and nothing else is", () => {
  expect(span("6h")).toBe(21_600_000);
  expect(["", "6", "h", "6w", "-1h", "99999h"].map(span)).toEqual([null, null, null, null, null, null]);
  expect(rangeOf("1h", now)).toEqual({ from: now - 3_600_000, to: now });
  const range = { from: 1_795_407_689_000, to: 1_795_407_789_000 };
  expect(rangeOf(rangeText(range), now)).toEqual(range);
  expect(["2..1", "1795407789..1795407689", "a..b", "1795407689"].map((text) => rangeOf(text, now))).toEqual([
    null,
    null,
    null,
    null,
  ]);
  expect(seconds(1_795_407_689_250)).toBe("1795407689.25");
  expect(seconds(1_795_407_690_000)).toBe("1795407690");
});
