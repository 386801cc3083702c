import { expect, test } from "vitest";
import type { Schemas } from "@/api/client.ts";
import { downFirst } from "./target-order.ts";

const target = (instance: string, up: boolean | null): Schemas["Target"] => ({
  job: "fleet",
  instance,
  url: `http://127.0.0.1:9600/svc/${instance}/actuator/prometheus`,
  up,
  last_scrape_ts: "2026-11-23T07:37:18.873Z",
  scrape_seconds: 0.000353856,
  samples: 270,
  kept: 112,
  error: up === false ? "connection refused" : null,
});

test("targets that are down come first", () => {
  const all = [
    target("catalog-1", true),
    target("orders-1", null),
    target("payments-1", false),
    target("catalog-0", true),
  ];
  expect(downFirst(all).map(({ instance }) => instance)).toEqual([
    "payments-1",
    "orders-1",
    "catalog-0",
    "catalog-1",
  ]);
});
