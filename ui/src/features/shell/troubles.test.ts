import { expect, test } from "vitest";
import type { Mute, Status } from "@/api/status.ts";
import { troublesOf, type Watched } from "./troubles.ts";

const now = new Date(2026, 10, 23, 14, 13, 25).getTime();
const at = (hour: number, minute: number) => new Date(2026, 10, 23, hour, minute, 0).toISOString();

function status(parts: {
  paging?: Partial<Status["paging"]>;
  source?: Partial<Status["source"]>;
  refused?: string;
  unready?: string[];
}): Watched {
  return {
    not_ready_because: parts.unready ?? [],
    source: {
      url: "http://prometheus:9090",
      state: "healthy",
      why: null,
      since: at(14, 2),
      answered_at: at(14, 13),
      skew_seconds: 0,
      ...parts.source,
    },
    configuration: {
      source: "config.yaml",
      loaded_at: at(9, 0),
      refused: parts.refused ?? null,
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
      ...parts.paging,
    },
  };
}

const shadow: Mute = {
  id: 1,
  active: true,
  service: null,
  from: at(13, 0),
  until: at(16, 0),
  by: "kim",
  note: "first week",
  ended_by: null,
  ended_ts: null,
};

test("nothing is said while all is well, also of single mutes", () => {
  expect(troublesOf(status({}), null, now)).toEqual([]);
  expect(troublesOf(status({ paging: { because: ["muted: payments"] } }), null, now)).toEqual([]);
});

test("shadow mode says who and until when", () => {
  const off = status({
    paging: { state: "off", because: ["shadow mode is on, set by kim", "muted: payments"] },
  });
  expect(troublesOf(off, shadow, now).map((trouble) => trouble.text)).toEqual([
    "Paging is off: shadow mode is on, set by kim, until 16:00:00 (first week)",
  ]);
  expect(troublesOf(off, { ...shadow, until: null, note: null }, now)[0]?.text).toContain(
    "until it is ended",
  );
  expect(troublesOf(off, null, now)[0]?.text).toBe("Paging is off: shadow mode is on, set by kim");
});

test("no receiver and a failing one are told apart", () => {
  const none = status({ paging: { state: "off", because: ["no receiver is configured"], receivers: 0 } });
  expect(troublesOf(none, null, now)[0]?.text).toBe("Paging is off: no receiver is configured");
  const failing = status({ paging: { state: "failing", because: ["oncall can't be told: refused"] } });
  expect(troublesOf(failing, null, now)[0]?.text).toBe("Paging fails: oncall can't be told: refused");
});

test("the worst comes first, and a source that is down is told once", () => {
  const troubles = troublesOf(
    status({
      source: { state: "down", why: "connection refused" },
      unready: ["Prometheus at http://prometheus:9090 can't be read: connection refused", "the disk is full"],
      paging: { state: "off", because: ["no receiver is configured"] },
      refused: "tick: 1x is no duration",
    }),
    null,
    now,
  );
  expect(troubles.map((trouble) => trouble.id)).toEqual(["storing", "source", "paging", "configuration"]);
  expect(troubles[0]?.text).toBe("Not ready: the disk is full");
  expect(troubles[1]?.text).toBe(
    "Metrics can't be read from http://prometheus:9090 since 14:02:00, nothing new is known: connection refused",
  );
});

test("a source that can be read partly is no reason to say that nothing is known", () => {
  const partly = status({ source: { state: "partial", why: "lat: timeout" } });
  expect(troublesOf(partly, null, now)[0]?.text).toMatch(/^Some metrics can't be read .*lat: timeout$/);
});

test("what the server says at length is shortened, and stays on one line", () => {
  const text = troublesOf(status({ refused: `a\nb ${"x".repeat(500)}` }), null, now)[0]?.text ?? "";
  expect(text).not.toContain("\n");
  expect(text.length).toBeLessThan(340);
});
