import { expect, test } from "vitest";
import type { Point } from "./data.ts";
import type { Shown } from "./shown.ts";
import { pastThreshold, rested, summary, told } from "./summary.ts";

const noon = new Date(2026, 10, 23, 12).getTime();
const at = (minutes: number) => new Date(noon + minutes * 60_000).toISOString();
const plain = (text: string) => text.replaceAll("\u202f", " ");

function point(minutes: number, value: number, rest: Partial<Point> = {}): Point {
  return {
    ts: at(minutes),
    value,
    expected: null,
    lower: null,
    upper: null,
    prediction: "Normal",
    severity: "Normal",
    score: null,
    part: "history",
    ...rest,
  };
}

const shown: Shown = {
  unit: "ms",
  points: [
    point(0, 300, { lower: 220, upper: 440 }),
    point(10, 3400, { severity: "Critical", prediction: "Anomaly", lower: 220, upper: 440 }),
    point(12, 1200, { severity: "High", prediction: "Anomaly", lower: 220, upper: 440 }),
    point(14, 200),
  ],
  gaps: [{ from: at(1), to: at(9), reason: "source_down", detail: "" }],
  incidents: [{ id: 42, from: at(9), to: null, severity: "Critical", status: "OPEN", member: true }],
  high: 1000,
  critical: 3000,
  changes: [{ at: at(10), text: "deploy 1.8.2" }],
  marks: [],
  range: { from: noon, to: noon + 15 * 60_000 },
};

test("a chart is one sentence", () => {
  expect(plain(summary("payments, latency p99", shown, noon))).toBe(
    "payments, latency p99, 12:00:00 to 12:15:00: lowest 200 ms at 12:14:00, highest 3,400 ms at 12:10:00, newest 200 ms at 12:14:00, 2 anomalies, 1 gap, past High for about 4 min.",
  );
});

test("without samples the sentence has the reason", () => {
  expect(summary("cpu", { ...shown, points: [] }, noon)).toBe(
    "cpu, 12:00:00 to 12:15:00: no samples, because the source could not be asked.",
  );
  expect(summary("cpu", { ...shown, points: [], gaps: [] }, noon)).toBe(
    "cpu, 12:00:00 to 12:15:00: no samples.",
  );
});

test("what never crossed says so, and without thresholds nothing is said of them", () => {
  const calm = { ...shown, points: [point(0, 1)], gaps: [] };
  expect(summary("cpu", calm, noon)).toMatch(/no anomaly, no gap, never past High\.$/);
  expect(summary("cpu", { ...calm, high: null }, noon)).toMatch(/no anomaly, no gap\.$/);
});

test("time past a threshold ends at a gap", () => {
  const points = [point(0, 1200, { severity: "High" }), point(10, 1)];
  expect(pastThreshold(points, [])).toBe(600_000);
  expect(pastThreshold(points, [{ from: at(2), to: at(10), reason: "stale", detail: "" }])).toBe(120_000);
});

test("a sample is told with its expectation, judgement, incident and change", () => {
  expect(told(shown, noon + 10 * 60_000, noon).map(plain)).toEqual([
    "3,400 ms",
    "expected 220 to 440 ms",
    "anomaly",
    "past Critical 3,000",
    "incident #42",
    "deploy 1.8.2",
  ]);
  expect(told(shown, noon + 14 * 60_000, noon).map(plain)).toEqual([
    "200 ms",
    "nothing was expected yet",
    "as usual",
    "incident #42",
  ]);
});

test("a gap is told with its reason", () => {
  expect(told(shown, noon + 5 * 60_000, noon)).toEqual([
    "no samples from 12:01:00 to 12:09:00: the source could not be asked",
  ]);
});

test("the cursor rests on samples and in gaps", () => {
  expect(rested(shown, noon + 13.4 * 60_000)).toBe(noon + 14 * 60_000);
  expect(rested(shown, noon + 2 * 60_000)).toBe(noon + 5 * 60_000);
  expect(rested({ ...shown, points: [], gaps: [] }, noon)).toBeNull();
});
