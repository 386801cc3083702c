/** A mute of payments without an end, for tests. */
import type { Mute } from "./status.ts";

export const mute: Mute = {
  id: 1,
  service: "payments",
  active: true,
  from: "2026-11-23T04:05:08.176Z",
  until: null,
  by: "kim (unverified)",
  note: "load test",
  ended_ts: null,
  ended_by: null,
};
