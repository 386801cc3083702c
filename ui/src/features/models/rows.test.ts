import { expect, test } from "vitest";
import type { Model } from "@/api/training.ts";
import { modelRows, sorted, sortOf, summaryOf, wanted } from "./rows.ts";

const trained: Model = {
  service: "catalog",
  metric: "blocked_threads",
  model: {
    hash: "e49c93c3bfbaa57a",
    bytes: 8799,
    trained_at: "2026-11-23T07:33:05.587Z",
    age_seconds: 211,
    window_from: "2026-11-21T07:34:00.000Z",
    window_to: "2026-11-23T07:32:00.774Z",
    rows: 2874,
    masked_rows: 0,
    constant: false,
    value_min: 0,
    value_max: 1,
    forest_threshold: 0.7425557555083113,
    raw_share: 0.0006958942240779402,
    parameters: {
      step_seconds: 60,
      trees: 100,
      sample_size: 256,
      seed: 0,
      contamination: 0.01,
      features_version: 1,
    },
  },
  problem: null,
  last_outcome: {
    job: "train-1795419185587-7",
    at: "2026-11-23T07:33:05.734Z",
    outcome: "trained",
    detail: "2874 rows of 2026-11-21T07:34:00.000Z to 2026-11-23T07:32:00.774Z, 0 masked",
  },
  next_training_ts: "2026-11-24T07:33:04.260Z",
};

function after(outcome: string, detail: string): NonNullable<Model["last_outcome"]> {
  return { job: "train-1795419185587-7", at: "2026-11-23T07:33:05.734Z", outcome, detail };
}

const models: Model[] = [
  trained,
  {
    ...trained,
    service: "gateway",
    metric: "lat",
    model: null,
    last_outcome: after("not_enough_samples", "12 rows, 288 needed"),
  },
  { ...trained, service: "ledger", last_outcome: after("failed", "the disk is full") },
  { ...trained, service: "orders", metric: "lat", problem: "its file is cut off" },
  { ...trained, service: "payments", last_outcome: after("kept_old", "the new one calls 40 % anomalies") },
  { ...trained, service: "search", model: null, last_outcome: null },
];
const catalogue = [{ id: "lat", title: "Latency p99" }] as Parameters<typeof modelRows>[1];
const rows = modelRows(models, catalogue);

test("every model stands in words", () => {
  expect(rows.map(({ tone, word, outcome }) => [tone, word, outcome])).toEqual([
    ["normal", "Trained", "trained"],
    ["none", "Not enough samples", "not_enough_samples"],
    ["high", "Failed, old in use", "failed"],
    ["critical", "Can't be used", "unusable"],
    ["warning", "Old in use", "kept_old"],
    ["none", "Not trained yet", "unknown"],
  ]);
});

test("the worst come first, and what has no value last", () => {
  const services = (text: string | undefined) => sorted(rows, sortOf(text)).map(({ service }) => service);
  expect(services(undefined)).toEqual(["orders", "ledger", "payments", "gateway", "search", "catalog"]);
  expect(services("trained").slice(-2)).toEqual(["gateway", "search"]);
  expect(services("-trained").slice(-2)).toEqual(["gateway", "search"]);
  expect(services("-service")[0]).toBe("search");
  expect(services("nonsense")).toEqual(services("state"));
});

test("text and outcome select", () => {
  const services = (text: string, outcome?: string) =>
    wanted(rows, text, outcome).map(({ service }) => service);
  expect(services("latency")).toEqual(["gateway", "orders"]);
  expect(services("LAT orders")).toEqual(["orders"]);
  expect(services("", "failed")).toEqual(["ledger"]);
  expect(services("catalog", "failed")).toEqual([]);
});

test("the summary counts usable models and failures, and knows the oldest and the next", () => {
  const summary = summaryOf(rows);
  expect(summary).toMatchObject({ total: 6, have: 3, failed: 2, next: "2026-11-24T07:33:04.260Z" });
  expect(summary.oldest?.service).toBe("catalog");
  expect(summary.notes).toEqual(["1 series kept the old model", "1 series without enough samples"]);
});
