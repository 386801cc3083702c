import { expect, test } from "vitest";
import { ageOf, bounded } from "./range.ts";

test("a stretch ends now at the latest, and is long enough to have samples", () => {
  expect(bounded({ from: 0, to: 100_000 }, 200_000)).toEqual({ from: 0, to: 100_000 });
  expect(bounded({ from: 0, to: 300_000 }, 200_000)).toEqual({ from: 0, to: 200_000 });
  expect(bounded({ from: 90_000, to: 91_000 }, 200_000)).toEqual({ from: 61_000, to: 91_000 });
});

test("short spans are renewed with each tick, a week each quarter of an hour, the past each minute", () => {
  const now = 1_795_407_689_000;
  expect([ageOf("1h", now, 600), ageOf("6h", now, 600)]).toEqual([undefined, undefined]);
  expect(ageOf("7d", now, 600)).toBe(ageOf("7d", now + 5_000, 600));
  expect(ageOf("7d", now, 600)).not.toBe(ageOf("7d", now + 1_008_000, 600));
  expect(ageOf("1795400000..1795403600", now, 600)).not.toBe(
    ageOf("1795400000..1795403600", now + 60_000, 600),
  );
  expect(ageOf("1795400000..1795407689", now, 600)).toBeUndefined();
});
