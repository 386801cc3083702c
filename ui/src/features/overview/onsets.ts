/** Who moved first: what is unresolved, and early warnings, by their onset. */
import type { Incident } from "@/api/incidents.ts";
import type { Finding, Service } from "@/api/services.ts";
import { ofSeverity, type Tone } from "@/components/state.tsx";
import type { Range } from "@/lib/time.ts";

export interface Onset {
  service: string;
  tone: Tone;
  word: string;
  from: number;
  /** Null: it goes on. */
  to: number | null;
  /** So far before `from` it may have begun already. */
  earliest: number;
  /** So far after `from` it may have begun only. */
  latest: number;
  /** Null: an early warning. */
  incident: number | null;
  metric: string | null;
}

/** A metric that is unusual without an incident, and since when, if that is known. */
export interface Warning {
  service: string;
  metric: string;
  since: string | null;
}

/** One for each unresolved incident and each service with an early warning, the earliest first. */
export function onsetsOf(incidents: Incident[], warnings: Warning[]): Onset[] {
  const all = [...incidents.map(ofIncident), ...earliestOfEach(warnings)];
  return all.sort((a, b) => a.from - b.from || a.service.localeCompare(b.service));
}

function ofIncident(incident: Incident): Onset {
  const [first] = [...incident.members].sort((a, b) => Date.parse(a.onset_ts) - Date.parse(b.onset_ts));
  const from = Date.parse(incident.onset_ts);
  const [low, high] = (first?.onset_between_ts ?? []).map((at) => Date.parse(at));
  return {
    service: incident.service,
    ...(incident.kind === "availability"
      ? { tone: "gone" as const, word: "Gone" }
      : ofSeverity(incident.severity)),
    from,
    to: incident.firing ? null : Date.parse(incident.ended_ts ?? incident.last_seen_ts),
    earliest: low ?? from,
    latest: high ?? from,
    incident: incident.id,
    metric: first?.metric ?? null,
  };
}

function earliestOfEach(warnings: Warning[]): Onset[] {
  const earliest = new Map<string, Onset>();
  for (const { service, metric, since } of warnings) {
    if (!since) continue;
    const from = Date.parse(since);
    const known = earliest.get(service);
    if (known && known.from <= from) continue;
    earliest.set(service, {
      service,
      tone: "warning",
      word: "Early warning",
      from,
      to: null,
      earliest: from,
      latest: from,
      incident: null,
      metric,
    });
  }
  return [...earliest.values()];
}

/** The metrics of services in early warning that are unusual, the most unusual first. */
export function unusualOf(services: Service[], findings: Finding[], most: number): Finding[] {
  const warned = new Set(services.filter(({ state }) => state === "early_warning").map(({ id }) => id));
  return findings
    .filter(({ service, prediction }) => prediction === "Anomaly" && warned.has(service))
    .sort((a, b) => (b.score ?? 0) - (a.score ?? 0))
    .slice(0, most);
}

/** Where an onset lies on the axis, in percent; null where it ended before. */
export function placed(onset: Onset, axis: Range): { left: number; width: number; isBefore: boolean } | null {
  const end = onset.to ?? axis.to;
  if (end < axis.from || onset.from > axis.to) return null;
  const at = (time: number) =>
    ((Math.min(Math.max(time, axis.from), axis.to) - axis.from) / (axis.to - axis.from)) * 100;
  const left = at(onset.from);
  return { left, width: at(end) - left, isBefore: onset.from < axis.from };
}

const STEPS = [60, 300, 600, 900, 1800, 3600, 10_800, 21_600, 43_200, 86_400].map(
  (seconds) => seconds * 1000,
);

/** Full hours, quarters or minutes of local time on the axis, at most so many. */
export function ticksOf({ from, to }: Range, most: number): number[] {
  const step = STEPS.find((one) => (to - from) / one <= most) ?? 86_400_000;
  const shift = new Date(from).getTimezoneOffset() * 60_000;
  const ticks = [];
  for (let at = Math.ceil((from - shift) / step) * step + shift; at <= to; at += step) ticks.push(at);
  return ticks;
}
