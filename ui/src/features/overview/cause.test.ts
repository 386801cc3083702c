import { expect, test } from "vitest";
import type { Status } from "@/api/status.ts";
import { cause } from "./cause.ts";

type Asked = Parameters<typeof cause>[0];

function told(state: Status["source"]["state"], parts: Partial<Asked> = {}) {
  return cause({
    source: {
      url: "http://prometheus:9090",
      state,
      why: state === "down" ? "connection refused" : null,
      since: null,
      answered_at: null,
      skew_seconds: 0,
    },
    backfill: { phase: "done", done: 1, samples: 0, failure: null },
    embedded: null,
    ...parts,
  });
}

test("nothing was asked yet, nothing answers, nothing is there: each is told as it is", () => {
  expect(told("unknown").title).toBe("Nothing is known yet");
  expect(told("down")).toEqual({
    title: "Metrics can't be read",
    text: "http://prometheus:9090 does not answer as it should: connection refused. Services are found as soon as it does.",
  });
  expect(told("healthy").text).toContain("has no series that the queries below would find");
});

test("while the past is read it isn't called empty", () => {
  const backfill = { phase: "recent" as const, done: 0.4, samples: 0, failure: null };
  expect(told("healthy", { backfill }).title).toBe("No service is found yet");
});

test("targets that don't answer are the cause where they are scraped here", () => {
  const embedded = {
    series: 0,
    samples: 0,
    memory_bytes: 0,
    memory_max_bytes: 1,
    disk_bytes: 0,
    oldest_ts: null,
    newest_ts: null,
    dropped_samples: 0,
    targets: [],
  };
  expect(told("healthy", { embedded }).text).toContain("None of the targets answers");
});
