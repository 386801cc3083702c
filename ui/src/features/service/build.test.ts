import { expect, test } from "vitest";
import type { Incident } from "@/api/incidents.ts";
import type { Finding, Service } from "@/api/services.ts";
import type { Mute } from "@/api/status.ts";
import type { Job } from "@/api/training.ts";
import {
  changeText,
  coveringJob,
  inOrder,
  median,
  muteOf,
  neighbours,
  since,
  stateOf,
  worstFirst,
  yesterday,
} from "./build.ts";

function finding(id: string, rest: Partial<Finding> = {}): Finding {
  return { id, title: id, severity: "Normal", prediction: "Normal", score: null, ...rest } as Finding;
}

const service = (id: string, rest: Partial<Service> = {}): Service => ({
  id,
  name: id,
  scope: null,
  state: "normal",
  severity: "Normal",
  last_seen_ts: "2026-11-23T07:00:00.000Z",
  instances: 1,
  incident: null,
  ...rest,
});

const incident = (id: number, rest: Partial<Incident>): Incident =>
  ({ id, onset_ts: "2026-11-23T06:00:00.000Z", ended_ts: null, ...rest }) as Incident;

test("worst first: severity, then anomalies by rarity, then no data, then by title", () => {
  const all = [
    finding("heap"),
    finding("cpu"),
    finding("gone", { severity: "Unavailable" }),
    finding("odd", { prediction: "Anomaly", score: 4 }),
    finding("odder", { prediction: "Anomaly", score: 6 }),
    finding("lat", { severity: "High", prediction: "Anomaly" }),
    finding("errors", { severity: "Critical" }),
  ];
  expect(worstFirst(all).map(({ id }) => id)).toEqual([
    "errors",
    "lat",
    "odder",
    "odd",
    "gone",
    "cpu",
    "heap",
  ]);
  expect(worstFirst(all).map((one) => stateOf(one).word)).toEqual([
    "Critical",
    "High",
    "Anomaly",
    "Anomaly",
    "No data",
    "Normal",
    "Normal",
  ]);
});

test("a kept order stays, and new metrics come last", () => {
  const all = [finding("a"), finding("b"), finding("c")];
  expect(inOrder(all, ["c", "a"]).map(({ id }) => id)).toEqual(["c", "a", "b"]);
});

test("the neighbours go round by name, whatever the order of the list", () => {
  const all = ["orders", "catalog", "payments"].map((id) => service(id));
  expect(neighbours(all, "payments")).toEqual({ before: "orders", after: "catalog" });
  expect(neighbours(all, "catalog")).toEqual({ before: "payments", after: "orders" });
  expect(neighbours(all, "nope")).toEqual({ before: null, after: null });
  expect(neighbours([service("alone")], "alone")).toEqual({ before: null, after: null });
});

test("a state holds since its incident began, since one ended, or since it was decided so", () => {
  const firing = service("pay", { state: "high", incident: 3 });
  expect(since(firing, [incident(3, {})], null, null)?.at).toBe("2026-11-23T06:00:00.000Z");
  const ended = incident(2, { ended_ts: "2026-11-23T06:30:00.000Z" });
  expect(since(service("pay"), [], ended, null)?.because).toBe("the end of incident #2");
  expect(since(service("pay"), [], null, null)).toBeNull();
  const warned = service("pay", { state: "early_warning" });
  const decision = { from: "2026-11-23T06:40:00.000Z", since: null };
  expect(since(warned, [], ended, decision as Parameters<typeof since>[3])?.at).toBe(decision.from);
  expect(since(service("pay", { state: "no_data" }), [], null, null)?.at).toBe("2026-11-23T07:00:00.000Z");
});

test("yesterday is the middle of its samples, and is compared where both are", () => {
  expect([median([]), median([3]), median([4, 1]), median([9, 1, 2])]).toEqual([null, 3, 2.5, 2]);
  const plain = (text: string) => text.replaceAll("\u202f", " ");
  expect(plain(yesterday(112, 100, "ms"))).toBe("100 ms, now +12 %");
  expect(plain(yesterday(3, 0, "threads"))).toBe("0 threads");
  expect(plain(yesterday(0, 0, "threads"))).toBe("the same");
  expect(plain(yesterday(null, 100, "ms"))).toBe("100 ms");
  expect(yesterday(1, null, "ms")).toBe("no value");
});

test("of mutes the one of this service that holds longest counts", () => {
  const mute = (id: number, of: string | null, until: string | null, active = true) =>
    ({ id, service: of, until, active }) as Mute;
  const all = [
    mute(1, "pay", "2026-11-23T08:00:00Z"),
    mute(2, "pay", null),
    mute(3, "pay", null, false),
    mute(4, "other", null),
    mute(5, null, null),
  ];
  expect(muteOf(all, "pay")?.id).toBe(2);
  expect(muteOf(all, "none")).toBeNull();
});

test("a job that trains more covers what it holds, once it is over it doesn't", () => {
  const job = (id: string, state: Job["state"], of: string | null, metric: string | null) =>
    ({ id, state, selection: { service: of, metric } }) as Job;
  expect(coveringJob([job("a", "running", null, null)], "pay", "lat")?.id).toBe("a");
  expect(coveringJob([job("a", "running", "pay", "lat")], "pay", "lat")?.id).toBe("a");
  expect(coveringJob([job("a", "running", "pay", "lat")], "pay", null)).toBeNull();
  expect(coveringJob([job("a", "running", "pay", "cpu")], "pay", "lat")).toBeNull();
  expect(coveringJob([job("a", "done", null, null)], "pay", "lat")).toBeNull();
});

test("a change has a short label", () => {
  const event = { kind: "deploy", version: "1.8.2", title: "payments" };
  expect(changeText(event as Parameters<typeof changeText>[0])).toBe("deploy 1.8.2");
  expect(changeText({ ...event, version: null } as Parameters<typeof changeText>[0])).toBe("deploy payments");
});
