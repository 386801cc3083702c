import { expect, test } from "vitest";
import type { Status } from "@/api/status.ts";
import { local } from "@/lib/time.ts";
import { footingOf } from "./footing.ts";
import { at, finding, NOON } from "./testing.ts";

const status = (parts: Partial<Status["training"]> = {}) => ({
  tick_seconds: 15,
  training: { next_run: at(54_000), running: null, ...parts },
});

const read = (...asked: Parameters<typeof footingOf>) =>
  footingOf(...asked)
    .map((part) => (typeof part === "string" ? part : "at" in part ? local(part.at, NOON) : ""))
    .join("")
    .replaceAll("\u202f", " ");

test("fresh series and the next training are one line", () => {
  expect(read([finding("a", "lat"), finding("b", "lat")], at(0), status(), NOON)).toBe(
    "All 2 series are fresh; models trained 11:00:00, next 24 Nov, 03:00:00.",
  );
});

test("what isn't fresh is counted by its reason", () => {
  const findings = [
    finding("a", "lat"),
    finding("a", "cpu", { gap: "no_data", value: null, trained_at: null }),
    finding("b", "cpu", { gap: "idle", value: null, trained_at: at(-86_400) }),
  ];
  expect(read(findings, at(0), status({ running: "train-1" }), NOON)).toBe(
    "1 of 3 series are fresh, 1 without data, 1 idle; 2 models trained 11:00:00 (the oldest 22 Nov, 12:00:00), training now.",
  );
});

test("a judgement that is late is said to be", () => {
  expect(read([finding("a", "lat")], at(-300), status(), NOON)).toContain("judged 5 min ago (11:55:00)");
});

test("without models it says so; without series it says nothing", () => {
  const none = read([finding("a", "lat", { trained_at: null })], at(0), status({ next_run: null }), NOON);
  expect(none).toBe("All 1 series are fresh; no model is trained yet.");
  expect(read([], null, undefined, NOON)).toBe("");
});
