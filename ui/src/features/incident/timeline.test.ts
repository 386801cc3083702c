import { expect, test } from "vitest";
import type { Notice } from "@/api/status.ts";
import { incident } from "./fixture.ts";
import { happenings, noticeInWords, silence } from "./timeline.ts";

const notice: Notice = {
  id: 2,
  key: "i1/opened/1795406686012/oncall",
  receiver: "oncall",
  kind: "opened",
  incident: 1,
  service: "payments",
  state: "delivered",
  created_ts: "2026-11-23T07:34:36.003Z",
  done_ts: "2026-11-23T07:34:36.021Z",
  attempts: 0,
  why: null,
  next_attempt_ts: null,
  message: "oncall/2/1",
  body: {},
};

test("notices stand between the entries, where they happened", () => {
  expect(happenings(incident, [notice]).map(({ who, text }) => `${who}: ${text.slice(0, 30)}`)).toEqual([
    "Bellwether: payments: Latency p99 is 1,134",
    "Bellwether: told oncall of the opening",
    "Bellwether: 56 log lines attached",
    "Bellwether: 82 log lines attached",
  ]);
});

test("what was not told says why", () => {
  expect(noticeInWords({ ...notice, state: "withheld", why: "payments is muted by kim" })).toEqual({
    text: "did not tell oncall of the opening: payments is muted by kim",
    isNot: true,
  });
  expect(noticeInWords({ ...notice, state: "given_up", attempts: 3, why: "503" }).text).toBe(
    "could not tell oncall of the opening, 3 attempts failed: 503",
  );
});

test("silence has a reason", () => {
  expect(silence([notice], 1)).toBeNull();
  expect(silence([], 0)).toContain("no receiver is configured");
  expect(silence([], 2)).toBe("Nobody has been told of it so far.");
});
