import { expect, test } from "vitest";
import { changeInWords, longestConstant, type Pattern } from "./patterns.ts";

const pattern: Pattern = {
  id: "6d0065a094832bed",
  service: "payments",
  template: "backend of payments answered after <*> ms (expected below <*> ms)",
  level: "WARN",
  logger: "demo.payments.PaymentsBackend",
  exception: null,
  change: "new",
  effect: 8.59,
  lines_before: 0,
  lines_during: 47,
  rate_before: 0,
  rate_during: 0.3176,
  per: "trace",
  call: null,
  first_seen_ts: "2026-11-23T07:33:18.477Z",
  last_seen_ts: "2026-11-23T07:36:28.619Z",
  samples: [],
  trace_ids: [],
  also: [],
  text: "new: 47 lines in 5 m",
};

test("a pattern is searched for by its longest constant text", () => {
  expect(longestConstant(pattern.template)).toBe("backend of payments answered after");
  expect(longestConstant("<*>")).toBe("");
  expect(longestConstant("started")).toBe("started");
});

test("a change is told with how many times", () => {
  const risen: Pattern = { ...pattern, change: "risen", rate_before: 0.02, rate_during: 0.24 };
  const all: Pattern[] = [
    pattern,
    risen,
    { ...risen, change: "fallen", rate_during: 0.01 },
    { ...pattern, change: "gone" },
  ];
  expect(all.map((one) => changeInWords(one).replaceAll("\u202f", " "))).toEqual([
    "NEW",
    "risen, 12 ×",
    "fallen, 0.5 ×",
    "gone",
  ]);
});
