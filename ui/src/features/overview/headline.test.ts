import { expect, test } from "vitest";
import { local } from "@/lib/time.ts";
import { headlineOf, type Part } from "./headline.ts";
import { onsetsOf } from "./onsets.ts";
import { at, finding, incident, metric, NOON, service } from "./testing.ts";

const healthy = {
  url: "http://prometheus:9090",
  state: "healthy" as const,
  why: null,
  since: at(-600),
  answered_at: at(0),
  skew_seconds: 0,
};

function read(parts: Part[]): string {
  const words = parts.map((part) => {
    if (typeof part === "string") return part;
    if ("service" in part) return part.service;
    return "at" in part ? local(part.at, NOON) : part.incidents;
  });
  return words.join("").replaceAll("\u202f", " ");
}

function told(asked: Partial<Parameters<typeof headlineOf>[0]>) {
  const all = { services: [], findings: [], catalogue: [], onsets: [], source: healthy, ...asked };
  const { tone, title, lead } = headlineOf(all);
  return [tone, title, read(lead)];
}

const high = finding("payments", "lat", { title: "Latency p99", value: 3400, severity: "High" });

test("who moved first, by how much, since when, and who followed", () => {
  expect(
    told({
      services: [service("payments", "critical"), service("orders", "high"), service("catalog")],
      findings: [high],
      catalogue: [metric("lat")],
      onsets: onsetsOf([incident(2, "orders", 45), incident(1, "payments", 0)], []),
    }),
  ).toEqual([
    "critical",
    "2 of 3 services in trouble",
    "payments moved first, at 12:00:00: latency p99 3,400 ms, expected 220 to 440 ms. orders followed after 45 s.",
  ]);
});

test("an order that samples can't tell is said to be unsure", () => {
  const [, , lead] = told({
    services: [service("payments", "high"), service("orders", "high")],
    onsets: onsetsOf([incident(1, "payments", 0), incident(2, "orders", 4)], []),
  });
  expect(lead).toContain(
    "orders followed after 4 s. Their samples are too far apart to be sure who was first.",
  );
});

test("many followers are counted, and an older trouble isn't taken for the cause", () => {
  const names = ["a", "b", "c", "d", "e", "old", "older"];
  const onsets = onsetsOf(
    names.map((name, n) => incident(n, name, name.startsWith("old") ? -90_000 - n : n * 60)),
    [],
  );
  const [, title, lead] = told({ services: names.map((name) => service(name, "high")), onsets });
  expect(title).toBe("7 of 7 services in trouble");
  expect(lead).toBe(
    "a moved first, at 12:00:00. b followed after 1 min, c after 2 min, d after 3 min and 1 more. In trouble for longer: older (since 22 Nov, 10:59:54) and 1 more.",
  );
});

test("one in trouble alone moved, and first of nobody", () => {
  const onsets = onsetsOf([incident(1, "payments", 0)], []);
  expect(told({ services: [service("payments", "high")], onsets })[2]).toBe("payments moved at 12:00:00.");
  const gone = onsetsOf([incident(1, "payments", 0, { kind: "availability", members: [] })], []);
  expect(told({ services: [service("payments", "gone")], onsets: gone })).toEqual([
    "gone",
    "1 of 1 service in trouble",
    "payments is gone since 12:00:00.",
  ]);
});

test("an early warning is no trouble, but is told", () => {
  expect(
    told({
      services: [service("payments", "early_warning"), service("orders")],
      findings: [{ ...high, severity: "Normal", prediction: "Anomaly" }],
      onsets: onsetsOf([], [{ service: "payments", metric: "lat", since: at(0) }]),
    }),
  ).toEqual([
    "warning",
    "No service in trouble, 1 early warning",
    "payments moved at 12:00:00: latency p99 3,400 ms, expected 220 to 440 ms.",
  ]);
});

test("all is well in a glance, also with something quiet that nobody resolved", () => {
  const services = [service("payments"), service("orders")];
  expect(told({ services })).toEqual(["normal", "All 2 services are normal", "Nothing is open."]);
  const quiet = onsetsOf([incident(1, "payments", -600, { firing: false, ended_ts: at(-60) })], []);
  expect(told({ services, onsets: quiet })[2]).toBe("1 quiet incident not resolved yet.");
  expect(told({ services, onsets: quiet, hasMore: true })[2]).toBe(
    "At least 1 quiet incident not resolved yet.",
  );
});

test("what nothing is known of isn't called normal", () => {
  expect(told({ services: [service("payments", "no_data"), service("orders")] }).slice(0, 2)).toEqual([
    "none",
    "1 of 2 services normal",
  ]);
  expect(told({ services: [service("payments", "no_data")] })[1]).toBe("Nothing is known yet");
});

test("while the source is down nothing old is told as if it were new", () => {
  const down = { ...healthy, state: "down" as const, why: "refused" };
  expect(told({ services: [service("payments", "high"), service("orders")], source: down })).toEqual([
    "none",
    "Nothing new is known",
    "Metrics can't be read from http://prometheus:9090 since 11:50:00. What is shown is of before. Until then 1 of 2 were in trouble.",
  ]);
});
