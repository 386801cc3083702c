import { expect, test } from "vitest";
import { incident } from "./fixture.ts";
import { absence, alsoInWords, badge, callInWords, divided, rates, templateParts } from "./patterns.ts";

const { items } = incident.explanation.logs;
const [fresh, steady] = items;
if (!fresh || !steady) throw new Error("the demo has patterns");

test("a pattern begins with how it moved", () => {
  expect(badge(fresh)).toBe("NEW");
  expect(badge({ ...steady, change: "risen", rate_before: 0.5, rate_during: 6 })).toBe("12\u202f×");
  expect(badge({ ...steady, change: "gone" })).toBe("gone");
  expect(divided(items).moved).toEqual([fresh]);
});

test("rates have their basis", () => {
  expect(rates(fresh)).toBe("0.35 per trace now, none before");
});

test("what varies in a template is told apart", () => {
  expect(templateParts("took <*> ms")).toEqual([
    { start: 0, text: "took ", varies: false },
    { start: 5, text: "<*>", varies: true },
    { start: 8, text: " ms", varies: false },
  ]);
});

test("other names of a failure, and calls, are sentences", () => {
  expect(
    alsoInWords({ by: "lat{exception}", name: "IllegalStateException", by_means_of: "class", pattern: null }),
  ).toBe(
    "Also told as IllegalStateException by label exception of lat, known by the same class of exception.",
  );
  expect(callInWords({ begins_with: "GET /orders", calls_before: 120, calls_during: 1 })).toBe(
    "Counted within calls that begin with “GET /orders”: 1 call now, 120 before.",
  );
});

test("each way of having no logs has a sentence and what to do", () => {
  expect(absence("found")).toBeNull();
  for (const outcome of ["none_in_window", "not_configured", "unreadable", "not_read_yet"] as const) {
    expect(absence(outcome)?.title).toBeTruthy();
    expect(absence(outcome)?.advice).toBeTruthy();
  }
});
