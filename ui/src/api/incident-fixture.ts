/** An incident of the demo, for tests. */
import type { Incident } from "@/api/incidents.ts";

export function incident(over: Partial<Incident> = {}): Incident {
  return {
    id: 1,
    service: "payments",
    kind: "metrics",
    status: "OPEN",
    firing: true,
    severity: "High",
    computed_severity: "High",
    worst_severity: "High",
    severity_set: false,
    owner: null,
    snoozed: null,
    resolution: null,
    summary:
      "payments: Latency p99 is 1,086 ms, past High 1,000 ms, expected 189 ms (88.7 to 289), since 2026-11-23T07:33:19.326Z; outside everything seen in training, 167 to 235 ms",
    opened_because: "crossing_and_anomaly",
    event_ts: "2026-11-23T07:34:15.000Z",
    onset_ts: "2026-11-23T07:33:19.326Z",
    first_crossing_ts: "2026-11-23T07:34:15.000Z",
    opened_ts: "2026-11-23T07:34:45.000Z",
    last_seen_ts: "2026-11-23T07:36:15.000Z",
    ended_ts: null,
    members: [
      {
        metric: "lat",
        severity: "High",
        worst_value: 1271.145510234649,
        worst_ts: "2026-11-23T07:36:14.326Z",
        high: 1000,
        critical: 3000,
        onset_ts: "2026-11-23T07:33:19.326Z",
        onset_between_ts: ["2026-11-23T07:33:14.326Z", "2026-11-23T07:33:19.326Z"],
        first_crossing_ts: "2026-11-23T07:34:15.000Z",
        last_firing_ts: "2026-11-23T07:36:15.000Z",
      },
    ],
    follows: null,
    ...over,
  };
}
