/** Services, findings and incidents for tests: all is normal where nothing else is said. */
import { incident as anIncident } from "@/api/incident-fixture.ts";
import type { Incident } from "@/api/incidents.ts";
import { service as aService } from "@/api/service-fixture.ts";
import type { CatalogueMetric, Finding, Service } from "@/api/services.ts";

export const NOON = new Date(2026, 10, 23, 12, 0, 0).getTime();

/** So many seconds after noon. */
export const at = (seconds: number) => new Date(NOON + seconds * 1000).toISOString();

export const service = (id: string, state?: Service["state"]) => aService(id, state, at(0));

export function finding(of: string, id: string, parts: Partial<Finding> = {}): Finding {
  return {
    service: of,
    id,
    title: id,
    value: 300,
    unit: "ms",
    severity: "Normal",
    prediction: "Normal",
    event_ts: at(0),
    why: "as usual",
    sample_ts: at(0),
    gap: null,
    expected: 300,
    lower: 220,
    upper: 440,
    high: 1000,
    critical: 3000,
    score: 0.3,
    components: [],
    contributions: null,
    instance: null,
    proxy: false,
    at_least: false,
    trained_at: at(-3600),
    model: "7843a09588ee17ce",
    incident: null,
    ...parts,
  };
}

export function metric(id: string, title = id): CatalogueMetric {
  return {
    id,
    title,
    unit: "ms",
    query: "up",
    fallback: null,
    direction: "up",
    high: 1000,
    critical: 3000,
    minimum_deviation: 0,
    valid: { from: 0, to: 1e9 },
    combine: "max",
    at_least_from: null,
    services: [],
  };
}

/** Began so many seconds after noon, as far as samples of 5 s tell. */
export function incident(id: number, of: string, onset: number, parts: Partial<Incident> = {}): Incident {
  const member: Incident["members"][number] = {
    metric: "lat",
    severity: "High",
    worst_value: 3400,
    worst_ts: at(onset + 60),
    high: 1000,
    critical: 3000,
    onset_ts: at(onset),
    onset_between_ts: [at(onset - 5), at(onset)],
    first_crossing_ts: at(onset + 30),
    last_firing_ts: at(onset + 120),
  };
  return anIncident({
    id,
    service: of,
    event_ts: at(onset + 30),
    onset_ts: at(onset),
    first_crossing_ts: at(onset + 30),
    opened_ts: at(onset + 60),
    last_seen_ts: at(onset + 120),
    members: [member],
    ...parts,
  });
}
