import { expect, test } from "vitest";
import { incident } from "./fixture.ts";
import { rangeAround, sentences, shares } from "./unusual.ts";

const [lat] = incident.explanation.how_unusual;
if (!lat) throw new Error("the demo says how unusual it is");

test("what is drawn begins an hour before the onset", () => {
  const now = Date.parse("2026-11-23T07:40:30.000Z");
  const iso = ({ from, to }: { from: number; to: number }) =>
    [from, to].map((at) => new Date(at).toISOString());
  expect(iso(rangeAround(incident, now))).toEqual(["2026-11-23T06:33:00.000Z", "2026-11-23T07:41:00.000Z"]);
  const ended = { ...incident, ended_ts: "2026-11-23T07:38:00.000Z" };
  expect(iso(rangeAround(ended, now + 86_400_000))[1]).toBe("2026-11-23T07:53:00.000Z");
  expect(iso(rangeAround(ended, now))[1]).toBe("2026-11-23T07:41:00.000Z");
});

test("what the forest looked at is ranked", () => {
  const ranked = shares(lat.contributions);
  expect(ranked.map(({ feature }) => feature).slice(0, 2)).toEqual(["the value", "its change"]);
  expect(ranked[0]).toMatchObject({ width: 100, text: "+0.096" });
  expect(shares(null)).toEqual([]);
});

test("the reasons are sentences, and what is drawn is not said twice", () => {
  const text = sentences(lat);
  expect(text).toMatch(
    /^Latency p99 was 1,134 ms; expected 196 ms, usually 95.7 to 296 ms\. None of the 2,892 rows/,
  );
  expect(text).not.toContain("omponents: ");
});
