import { expect, test } from "vitest";
import { mute } from "@/api/mute-fixture.ts";
import type { Notice, Receiver } from "@/api/status.ts";
import {
  cameOf,
  concernOf,
  countsOf,
  mutesOfServices,
  noticeInWords,
  reloadInWords,
  shadowOf,
  stateOfReceiver,
} from "./words.ts";

const receiver: Receiver = {
  name: "oncall",
  kind: "webhook",
  address: "https://pager.example.org",
  severity: "High",
  services: [],
  failing: false,
  last_error: null,
  next_attempt_ts: null,
  pending: 0,
  oldest_pending_ts: null,
  delivered: 12,
  given_up: 0,
  withheld: 0,
  superseded: 0,
  last_delivered_ts: "2026-11-23T04:04:46.021Z",
};

test("a receiver is failing before anything else", () => {
  const words = (changed: Partial<Receiver>) => stateOfReceiver({ ...receiver, ...changed }).word;
  expect(words({ failing: true, given_up: 2 })).toBe("Failing");
  expect(words({ given_up: 2 })).toBe("Reached, some given up");
  expect(words({})).toBe("Reached");
  expect(words({ last_delivered_ts: null })).toBe("Not told anything yet");
});

test("a receiver says what it is told of, and what came of it", () => {
  expect(concernOf(receiver)).toBe("High and Critical of all services");
  expect(concernOf({ ...receiver, severity: "Critical", services: ["payments", "orders"] })).toBe(
    "Critical of payments, orders",
  );
  expect(countsOf({ ...receiver, pending: 1, given_up: 2 })).toBe(
    "1 pending, 12 delivered, 2 given up in the last day",
  );
  expect(countsOf({ ...receiver, delivered: 0 })).toBe("0 delivered in the last day");
});

test("a page says of what it was", () => {
  const notice = { kind: "severity_raised", incident: 3, service: "payments" } as Notice;
  expect(noticeInWords(notice)).toBe("severity raised: #3 payments");
  expect(noticeInWords({ ...notice, kind: "test", incident: null, service: null })).toBe("test");
});

test("mutes that end first come first, and shadow mode is none of them", () => {
  const all = [
    mute,
    { ...mute, id: 2, service: null },
    { ...mute, id: 3, until: "2026-11-23T06:05:08.176Z" },
  ];
  expect(mutesOfServices(all).map(({ id }) => id)).toEqual([3, 1]);
  expect(shadowOf(all)?.id).toBe(2);
  expect(shadowOf([mute])).toBeNull();
});

test("what came of a change is a word with its status", () => {
  expect([200, 201, 403, 500].map((status) => cameOf({ status }))).toEqual([
    "done",
    "done",
    "refused (403)",
    "failed (500)",
  ]);
});

test("a reload tells what it changed", () => {
  expect(reloadInWords({ changed: [], needs_restart: [], warnings: [] })).toBe("nothing changed");
  expect(reloadInWords({ changed: ["tick"], needs_restart: ["tick"], warnings: ["odd"] })).toBe(
    "changed: tick; waiting for a restart: tick; 1 warning",
  );
});
