import { expect, test } from "vitest";
import type { Status } from "@/api/status.ts";
import { sentence } from "./part.ts";
import { headline, partsOf } from "./parts.ts";

const status: Status = {
  version: "0.1.0",
  now: "2026-11-23T07:37:21.872Z",
  started_at: "2026-11-23T07:33:04.213Z",
  ready: true,
  not_ready_because: [],
  source: {
    url: "the embedded store",
    state: "healthy",
    why: null,
    since: "2026-11-23T07:32:55.000Z",
    answered_at: "2026-11-23T07:37:15.000Z",
    skew_seconds: 0,
  },
  embedded: {
    series: 2224,
    samples: 5282850,
    memory_bytes: 5035692,
    memory_max_bytes: 1073741824,
    disk_bytes: 6059377,
    oldest_ts: "2026-11-21T07:33:00.774Z",
    newest_ts: "2026-11-23T07:37:21.024Z",
    dropped_samples: 0,
    targets: [
      {
        job: "fleet",
        instance: "catalog-1",
        url: "http://127.0.0.1:9600/svc/catalog/1/actuator/prometheus",
        up: true,
        last_scrape_ts: "2026-11-23T07:37:18.873Z",
        scrape_seconds: 0.000353856,
        samples: 270,
        kept: 112,
        error: null,
      },
    ],
  },
  evaluated_at: "2026-11-23T07:37:15.000Z",
  tick_seconds: 5,
  ticks: { evaluated: 52, missed: 0, last_seconds: 0.012, slowest_seconds: 0.31 },
  gaps: [{ reason: "idle", detail: "idle: no traffic, so there is nothing to measure", count: 7 }],
  services: { up: 6, gone: 0 },
  series: 78,
  models: 77,
  incidents: { firing: 3, unresolved: 3 },
  training: { next_run: "2026-11-24T07:33:04.260Z", running: null },
  backfill: { phase: "done", done: 1, samples: 221653, failure: null },
  storage: {
    data_dir: "/var/lib/bellwether",
    datasets_bytes: 23081307,
    models_bytes: 3257500,
    database_bytes: 5099264,
    quarantine_bytes: 0,
    disk_max_bytes: 10737418240,
  },
  configuration: {
    source: "built-in defaults",
    loaded_at: "2026-11-23T07:33:04.213Z",
    refused: null,
    needs_restart: [],
    warnings: [],
  },
  paging: {
    state: "on",
    because: [],
    receivers: 1,
    pending: 0,
    oldest_pending_ts: null,
    given_up_in_a_day: 0,
  },
  remarks: [],
};
const now = Date.parse(status.now);

function check(changed: Partial<Status>, id: string, tone: string, word: string, fact?: string) {
  const part = partsOf({ ...status, ...changed }, now).find((one) => one.id === id);
  expect([part?.tone, part?.word.replaceAll("\u202f", " ")]).toEqual([tone, word]);
  if (fact) expect(part?.facts.join(" ").replaceAll("\u202f", " ")).toContain(fact);
}

test("all is well while nothing is wrong", () => {
  const parts = partsOf(status, now);
  expect(headline(parts)).toBe("All parts are well.");
  expect(new Set(parts.map(({ tone }) => tone))).toEqual(new Set(["normal"]));
});

test("the worst come first, and are named", () => {
  const parts = partsOf(
    {
      ...status,
      paging: { ...status.paging, state: "failing" },
      backfill: { ...status.backfill, failure: "it was refused" },
    },
    now,
  );
  expect(parts.slice(0, 2).map(({ id }) => id)).toEqual(["paging", "backfill"]);
  expect(headline(parts)).toBe("2 of 12 parts need attention: paging, backfill.");
});

test("a source tells why it is down, and how far clocks differ", () => {
  const down = { ...status.source, state: "down", why: "connection refused" } as const;
  check(
    { source: down },
    "source",
    "critical",
    "Down",
    "Connection refused. It last answered 2026-11-23T07:37:15.000Z.",
  );
  check(
    { source: { ...status.source, skew_seconds: -12 } },
    "source",
    "warning",
    "Clocks differ",
    "12 s behind",
  );
});

test("ticks are in time, missed, too slow or late", () => {
  check({}, "ticks", "normal", "In time", "The last took 12 ms, the slowest 310 ms, of the 5 s there are.");
  check({ ticks: { ...status.ticks, missed: 3 } }, "ticks", "warning", "3 missed");
  check({ ticks: { ...status.ticks, last_seconds: 6 } }, "ticks", "high", "Too slow");
  check({ evaluated_at: "2026-11-23T07:30:00.000Z" }, "ticks", "high", "Late");
  const none = { evaluated: 0, missed: 0, last_seconds: null, slowest_seconds: null };
  check({ ticks: none, evaluated_at: null }, "ticks", "none", "None yet");
});

test("paging tells why it is off, and what was given up", () => {
  const off = {
    ...status.paging,
    state: "off",
    because: ["no receiver is configured"],
    receivers: 0,
  } as const;
  check(
    { paging: { ...off, because: [...off.because] } },
    "paging",
    "high",
    "Off",
    "No receiver is configured.",
  );
  check(
    { paging: { ...status.paging, given_up_in_a_day: 2 } },
    "paging",
    "high",
    "Pages given up",
    "2 pages given up",
  );
});

test("storage tells its share of what it may take", () => {
  const storage = status.storage as NonNullable<Status["storage"]>;
  check({}, "storage", "normal", "Enough room", "30 MiB of 10 GiB in /var/lib/bellwether, 0.29 %");
  check({ storage: { ...storage, datasets_bytes: 10e9 } }, "storage", "high", "Nearly full");
  check({ storage: { ...storage, quarantine_bytes: 4096 } }, "storage", "warning", "Files set aside");
  check({ storage: null }, "storage", "none", "Not measured yet");
});

test("a target that is down is counted, and without an embedded store there is no such part", () => {
  const embedded = status.embedded as NonNullable<Status["embedded"]>;
  const targets = embedded.targets.map((target) => ({ ...target, up: false }));
  check({ embedded: { ...embedded, targets } }, "embedded", "high", "1 of 1 targets down");
  expect(partsOf({ ...status, embedded: null }, now).some(({ id }) => id === "embedded")).toBe(false);
});

test("configuration says what was refused and what waits", () => {
  const { configuration } = status;
  check(
    { configuration: { ...configuration, refused: "tick is 0s" } },
    "configuration",
    "high",
    "Refused",
    "tick is 0s",
  );
  const waiting = { ...configuration, needs_restart: ["tick", "listen"] };
  check({ configuration: waiting }, "configuration", "warning", "Needs a restart", "tick, listen");
});

test("gaps are a fault only where asking failed", () => {
  check({}, "gaps", "normal", "7 since the start", "Most often: idle");
  check(
    { gaps: [{ reason: "query_failed", detail: "the query failed", count: 1 }] },
    "gaps",
    "warning",
    "1 since the start",
  );
  check({ gaps: [] }, "gaps", "normal", "None");
});

test("fragments become sentences, names stay as they are", () => {
  expect(
    ["no receiver is configured", "Done.", "limits.series is reached", "payments: muted"].map(sentence),
  ).toEqual(["No receiver is configured.", "Done.", "limits.series is reached.", "payments: muted."]);
});
