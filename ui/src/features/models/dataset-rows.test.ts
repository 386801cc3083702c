import { expect, test } from "vitest";
import type { Dataset } from "@/api/training.ts";
import { totals, wantedDatasets } from "./dataset-rows.ts";

const dataset = (service: string, metric: string, hasAnomaly = false): Dataset => ({
  service,
  metric,
  history: {
    rows: 2920,
    bytes: 170437,
    first_ts: "2026-11-21T07:34:00.000Z",
    last_ts: "2026-11-23T07:36:29.136Z",
  },
  anomaly: hasAnomaly
    ? { rows: 12, bytes: 1100, first_ts: "2026-11-23T07:33:00.000Z", last_ts: "2026-11-23T07:36:29.136Z" }
    : null,
});
const all = [dataset("payments", "lat", true), dataset("catalog", "lat"), dataset("catalog", "cpu")];
const title = ({ metric }: Dataset) => (metric === "lat" ? "Latency p99" : metric);

test("datasets are found by service, metric and its title", () => {
  const found = (text: string) =>
    wantedDatasets(all, text, title).map(({ service, metric }) => `${service} ${metric}`);
  expect(found("")).toEqual(["catalog cpu", "catalog lat", "payments lat"]);
  expect(found("latency pay")).toEqual(["payments lat"]);
});

test("both parts count", () => {
  expect(totals(all)).toEqual({ rows: 3 * 2920 + 12, bytes: 3 * 170437 + 1100 });
});
