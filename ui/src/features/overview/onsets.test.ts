import { expect, test } from "vitest";
import { onsetsOf, placed, ticksOf, unusualOf } from "./onsets.ts";
import { at, finding, incident, NOON, service } from "./testing.ts";

const HOUR = 3_600_000;
const axis = { from: NOON - HOUR, to: NOON };

test("incidents and early warnings stand in the order of their onsets", () => {
  const onsets = onsetsOf(
    [incident(2, "orders", -60), incident(1, "payments", -105)],
    [
      { service: "inventory", metric: "cpu", since: at(-30) },
      { service: "inventory", metric: "lat", since: at(-40) },
      { service: "unknown", metric: "lat", since: null },
    ],
  );
  expect(onsets.map(({ service, tone, metric }) => [service, tone, metric])).toEqual([
    ["payments", "high", "lat"],
    ["orders", "high", "lat"],
    ["inventory", "warning", "lat"],
  ]);
});

test("an incident that went quiet ends; one that fires goes on", () => {
  const quiet = incident(1, "a", -600, { firing: false, ended_ts: at(-300) });
  expect(onsetsOf([quiet], [])[0]?.to).toBe(NOON - 300_000);
  expect(onsetsOf([incident(1, "a", -600)], [])[0]?.to).toBeNull();
});

test("a service that is gone is told so", () => {
  expect(onsetsOf([incident(1, "a", 0, { kind: "availability", members: [] })], [])[0]).toMatchObject({
    tone: "gone",
    word: "Gone",
    metric: null,
  });
});

test("bars lie where they belong; what began before is cut, what ended before is left out", () => {
  const [half] = onsetsOf([incident(1, "a", -1800)], []);
  const [long] = onsetsOf([incident(1, "a", -7200)], []);
  const [over] = onsetsOf([incident(1, "a", -7200, { firing: false, ended_ts: at(-5400) })], []);
  expect(half && placed(half, axis)).toEqual({ left: 50, width: 50, isBefore: false });
  expect(long && placed(long, axis)).toEqual({ left: 0, width: 100, isBefore: true });
  expect(over && placed(over, axis)).toBeNull();
});

test("the axis has marks at full steps of local time", () => {
  expect(ticksOf(axis, 6).map((tick) => (tick - axis.from) / 60_000)).toEqual([0, 10, 20, 30, 40, 50, 60]);
  expect(ticksOf({ from: NOON - 24 * HOUR, to: NOON }, 6).map((tick) => new Date(tick).getHours())).toEqual([
    12, 18, 0, 6, 12,
  ]);
});

test("only metrics of services in early warning are asked for, the most unusual first", () => {
  const findings = [
    finding("warned", "a", { prediction: "Anomaly", score: 4 }),
    finding("warned", "b", { prediction: "Anomaly", score: 6 }),
    finding("warned", "c"),
    finding("calm", "a", { prediction: "Anomaly" }),
  ];
  const services = [service("warned", "early_warning"), service("calm")];
  expect(unusualOf(services, findings, 5).map(({ id }) => id)).toEqual(["b", "a"]);
  expect(unusualOf(services, findings, 1)).toHaveLength(1);
});
