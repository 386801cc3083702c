import { expect, test } from "vitest";
import { incident } from "./fixture.ts";
import { followedBy, headline, others, worstMember } from "./headline.ts";

const now = Date.parse("2026-11-23T07:44:25.000Z");

test("the sentence has the facts and how long it has gone on", () => {
  expect(headline(incident, now)).toEqual({
    tone: "high",
    word: "High",
    sentence:
      "payments: Latency p99 is 1,134 ms, past High 1,000 ms, expected 196 ms (95.7 to 296), for 11\u202fmin, still going",
    reason: "outside everything seen in training, 165 to 241 ms",
  });
});

test("what has ended says how long it lasted", () => {
  const over = { ...incident, firing: false, ended_ts: "2026-11-23T07:59:19.326Z" };
  expect(headline(over, now).sentence).toMatch(/, lasted 26\u202fmin$/);
});

test("a service that is gone says so before everything else", () => {
  const gone = {
    ...incident,
    kind: "availability" as const,
    members: [],
    summary:
      "payments: no instance has answered its scrapes since 2026-11-23T07:33:19.326Z, while Prometheus is healthy",
  };
  expect(headline(gone, now)).toMatchObject({
    tone: "gone",
    word: "Gone",
    sentence:
      "payments: no instance has answered its scrapes, while Prometheus is healthy, for 11\u202fmin, still going",
    reason: null,
  });
});

test("the worst member is the most severe, then the first", () => {
  const [lat] = incident.members;
  if (!lat) throw new Error("the demo has a member");
  const cpu = { ...lat, metric: "cpu", severity: "Critical" as const };
  const errors = { ...lat, metric: "error_ratio", onset_ts: "2026-11-23T07:33:00.000Z" };
  const many = { ...incident, members: [lat, cpu, errors] };
  expect(worstMember(many)?.metric).toBe("cpu");
  expect(others(many).map(({ metric }) => metric)).toEqual(["lat", "error_ratio"]);
  expect(worstMember({ ...incident, members: [lat, errors] })?.metric).toBe("error_ratio");
});

test("what followed is in the timeline", () => {
  expect(followedBy(incident)).toBeNull();
  const entry = {
    at: incident.opened_ts,
    actor: "bellwether",
    event: "followed_by" as const,
    text: "followed by 17",
  };
  expect(followedBy({ ...incident, timeline: [...incident.timeline, entry] })).toBe(17);
});
