import { expect, test } from "vitest";
import { snoozes } from "./snoozes.ts";

test("tomorrow is nine o'clock of the day after, here", () => {
  const now = new Date(2026, 11, 31, 23, 30).getTime();
  const tomorrow = snoozes(now).find(({ label }) => label.startsWith("Until tomorrow"));
  expect(tomorrow?.action).toEqual({ do: "snooze", until: new Date(2027, 0, 1, 9, 0).toISOString() });
});
