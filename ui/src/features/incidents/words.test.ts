import { expect, test } from "vitest";
import { incident } from "@/api/incident-fixture.ts";
import { duration, sentence, statusWord } from "./words.ts";

test("a row's sentence has neither the service nor the beginning: they have columns", () => {
  expect(sentence(incident())).toBe(
    "Latency p99 is 1,086 ms, past High 1,000 ms, expected 189 ms (88.7 to 289); outside everything seen in training, 167 to 235 ms",
  );
  expect(sentence(incident({ summary: "gone for 1 min" }))).toBe("gone for 1 min");
});

test("what fires is still going, what doesn't has a length", () => {
  const now = Date.parse("2026-11-23T07:44:20.000Z");
  expect(duration(incident(), now)).toBe("still going, 11\u202fmin");
  expect(duration(incident({ firing: false, ended_ts: "2026-11-23T07:59:19.326Z" }), now)).toBe(
    "26\u202fmin",
  );
});

test("a snooze is said with the status, until it is resolved", () => {
  expect(statusWord(incident())).toBe("open");
  expect(statusWord(incident({ snoozed: { by: "kim", until: null } }))).toBe("open, snoozed");
  expect(statusWord(incident({ status: "RESOLVED", snoozed: { by: "kim", until: null } }))).toBe("resolved");
});
