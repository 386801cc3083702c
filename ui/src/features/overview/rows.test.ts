import { expect, test } from "vitest";
import { columnsOf, expectedOf, inSentence, nearestOf, nowOf, rowsOf, sparkKey } from "./rows.ts";
import { at, finding, incident, metric, service } from "./testing.ts";

const nothing = { services: [], findings: [], incidents: [], columns: [], sparks: new Map() };

test("the columns are the default metrics in their order, or the first of others", () => {
  const ids = (...all: string[]) => columnsOf(all.map((id) => metric(id))).map(({ id }) => id);
  expect(ids("availability", "cpu", "error_ratio", "lat", "mem")).toEqual(["cpu", "mem", "lat"]);
  expect(ids("a", "b", "c", "d")).toEqual(["a", "b", "c"]);
});

test("the worst is on top; of equally bad ones who moved first, then by name", () => {
  const rows = rowsOf({
    ...nothing,
    services: [
      service("calm"),
      service("later", "high"),
      service("first", "high"),
      service("worst", "critical"),
      service("warned", "early_warning"),
      service("calm-10"),
      service("calm-2"),
    ],
    incidents: [incident(2, "later", 45), incident(1, "first", 0), incident(3, "worst", 90)],
  });
  expect(rows.map(({ id }) => id)).toEqual([
    "worst",
    "first",
    "later",
    "warned",
    "calm",
    "calm-2",
    "calm-10",
  ]);
});

test("a cell has value, tone, expected range and its line; a metric that isn't there has none", () => {
  const [row] = rowsOf({
    services: [service("payments", "critical")],
    findings: [finding("payments", "lat", { title: "Latency p99", value: 3400, severity: "Critical" })],
    incidents: [],
    columns: [metric("cpu"), metric("lat")],
    sparks: new Map([[sparkKey("payments", "lat"), [1, null, 2]]]),
  });
  expect(row?.cells).toEqual([
    null,
    {
      metric: "lat",
      title: "Latency p99",
      value: "3,400\u202fms",
      tone: "critical",
      expected: "220 to 440\u202fms",
      why: "as usual",
      values: [1, null, 2],
    },
  ]);
  expect(row?.worst).toEqual({
    metric: "lat",
    title: "latency p99",
    value: "3,400\u202fms",
    words: "latency p99 3,400\u202fms",
    tone: "critical",
    values: [1, null, 2],
  });
});

test("the worst metric is the most severe, then the rarest, also one without a column", () => {
  const [row] = rowsOf({
    ...nothing,
    services: [service("payments", "high")],
    findings: [
      finding("payments", "a", { severity: "High", score: 2 }),
      finding("payments", "b", { severity: "High", score: 5, title: "CPU" }),
      finding("payments", "c", { prediction: "Anomaly", score: 8 }),
    ],
  });
  expect(row?.worst).toMatchObject({ metric: "b", words: "CPU 300\u202fms" });
});

test("a normal service has no worst metric", () => {
  const [row] = rowsOf({
    ...nothing,
    services: [service("payments")],
    findings: [finding("payments", "a", { prediction: "Anomaly" })],
  });
  expect(row?.worst).toBeNull();
});

test("of a normal service the metric is told that is nearest to its threshold", () => {
  const findings = [
    finding("payments", "lat", { value: 650, expected: 300, high: 1000, title: "Latency p99" }),
    finding("payments", "cpu", { value: 70, expected: 30, high: 85, title: "CPU", unit: "%" }),
    finding("payments", "up", { value: 99, expected: 100, high: 50, title: "Instances up", unit: "%" }),
    finding("payments", "rate", { value: 900, expected: 10, high: null, title: "Request rate" }),
    finding("payments", "gone", { value: null, gap: "no_data" }),
  ];
  const [row] = rowsOf({ ...nothing, services: [service("payments")], findings });
  expect(row?.nearest?.words).toBe("CPU 70\u202f%");
  const [bad] = rowsOf({ ...nothing, services: [service("payments", "high")], findings });
  expect(bad?.nearest).toBeNull();
});

test("without thresholds it is the most unusual metric; without values there is none", () => {
  const free = { high: null, critical: null };
  const some = [
    finding("payments", "rate", { ...free, score: 0.3 }),
    finding("payments", "queue", { ...free, score: 1.2, title: "Queue length", value: 7, unit: "" }),
  ];
  expect(nearestOf(some)?.words).toBe("queue length 7");
  expect(nearestOf([finding("payments", "lat", { value: null, gap: "idle" })])).toBeNull();
});

test("who has no data tells when it was seen last", () => {
  const rows = rowsOf({ ...nothing, services: [service("payments", "no_data"), service("orders")] });
  expect(rows.map(({ seen }) => seen)).toEqual([at(0), null]);
});

test("unresolved incidents are counted, and told since when the oldest is open", () => {
  const [row] = rowsOf({
    ...nothing,
    services: [service("payments", "high")],
    incidents: [incident(7, "payments", 600), incident(3, "payments", 0), incident(4, "other", 0)],
  });
  expect(row?.open).toEqual({ count: 2, newest: 7, since: at(60), hands: null });
});

test("who is at the incidents is told", () => {
  const hands = (...parts: Parameters<typeof incident>[3][]) =>
    rowsOf({
      ...nothing,
      services: [service("payments", "high")],
      incidents: parts.map((part, n) => incident(n, "payments", 0, part)),
    })[0]?.open?.hands;
  expect(hands({ status: "ACKNOWLEDGED" })).toBe("acknowledged");
  expect(hands({ status: "ACKNOWLEDGED", owner: "kim" }, { owner: "kim" })).toBe("1 acknowledged, kim");
  expect(hands({ owner: "mara" }, { owner: "kim" })).toBe("kim, mara");
});

test("no value says why in a word; a lower bound is marked", () => {
  expect(nowOf(finding("a", "lat", { value: null, gap: "no_data" }))).toBe("no data");
  expect(nowOf(finding("a", "lat", { value: null, gap: "idle" }))).toBe("idle");
  expect(nowOf(finding("a", "lat", { value: 10_000, at_least: true }))).toBe("≥ 10,000\u202fms");
});

test("nothing impossible is expected", () => {
  expect(expectedOf(finding("a", "lat", { lower: -1, upper: 2 }), metric("lat"))).toBe("0 to 2\u202fms");
  expect(expectedOf(finding("a", "lat", { lower: null }))).toBeNull();
});

test("a title within a sentence keeps its capitals where they mean something", () => {
  expect(["Latency p99", "CPU", "GC overhead", "heap"].map(inSentence)).toEqual([
    "latency p99",
    "CPU",
    "GC overhead",
    "heap",
  ]);
});

test("two thousand services of three metrics are put together fast enough for each tick", () => {
  const services = Array.from({ length: 2000 }, (_, n) => service(`service-${n}`));
  const ids = ["cpu", "mem", "lat"];
  const findings = services.flatMap(({ id }) => ids.map((one) => finding(id, one)));
  const begun = performance.now();
  rowsOf({ ...nothing, services, findings, columns: ids.map((id) => metric(id)) });
  expect(performance.now() - begun).toBeLessThan(1000);
});
