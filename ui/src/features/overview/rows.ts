/** Services as the overview shows them: each with its state, its metrics, and what is open. */
import type { Incident } from "@/api/incidents.ts";
import type { CatalogueMetric, Finding, Service } from "@/api/services.ts";
import type { Tone } from "@/components/state.tsx";
import { amount, range } from "@/lib/amount.ts";

export interface Cell {
  metric: string;
  title: string;
  value: string;
  /** Nothing where it is as usual. */
  tone: Tone | null;
  expected: string | null;
  /** The judgement in a sentence. */
  why: string;
  values: (number | null)[] | null;
}

export interface Row {
  id: string;
  state: Service["state"];
  /** In the order of the columns; null where the service hasn't this metric. */
  cells: (Cell | null)[];
  /** The worst metric, whether it has a column or not; nothing where all are as usual. */
  worst: (Said & { tone: Tone; values: Cell["values"] }) | null;
  /** Where all are as usual: the metric that is nearest to its threshold. */
  nearest: Said | null;
  /** Where nothing is known now: when it was seen last. */
  seen: string | null;
  /** Unresolved incidents, the newest of them, since when the oldest is open, and who is at them. */
  open: { count: number; newest: number; since: string; hands: string | null } | null;
}

/** A metric and its value, apart and in words: "latency p99 3,400 ms". */
export interface Said {
  metric: string;
  title: string;
  value: string;
  words: string;
}

/** "node-2" before "node-10". */
const byName = new Intl.Collator("en", { numeric: true });

export type Sparks = Map<string, (number | null)[]>;

/** The metrics that every server has; more than three columns aren't read at a glance. */
const DEFAULTS = ["cpu", "mem", "lat"];

export function columnsOf(catalogue: CatalogueMetric[]): CatalogueMetric[] {
  const defaults = DEFAULTS.flatMap((id) => catalogue.filter((metric) => metric.id === id));
  return defaults.length > 0 ? defaults : catalogue.slice(0, 3);
}

/** Worst first. */
export const STATES: Service["state"][] = ["critical", "high", "gone", "early_warning", "no_data", "normal"];

export function rowsOf(asked: {
  services: Service[];
  findings: Finding[];
  incidents: Incident[];
  columns: CatalogueMetric[];
  sparks: Sparks;
}): Row[] {
  const findings = grouped(asked.findings, (finding) => finding.service);
  const incidents = grouped(asked.incidents, (incident) => incident.service);
  const onset = (id: string) => Math.min(...(incidents.get(id) ?? []).map((one) => Date.parse(one.onset_ts)));
  // Worst first; of equally bad ones who moved first.
  const services = asked.services
    .map((service) => ({ service, rank: STATES.indexOf(service.state), onset: onset(service.id) }))
    .sort(
      (a, b) => a.rank - b.rank || sooner(a.onset, b.onset) || byName.compare(a.service.id, b.service.id),
    );
  return services.map(({ service }) => {
    const own = findings.get(service.id) ?? [];
    return {
      id: service.id,
      state: service.state,
      cells: asked.columns.map((column) => {
        const finding = own.find((one) => one.id === column.id);
        return finding
          ? cellOf(finding, column, asked.sparks.get(sparkKey(service.id, column.id)) ?? null)
          : null;
      }),
      worst: worstOf(service, own, asked.sparks),
      nearest: service.state === "normal" ? nearestOf(own) : null,
      seen: service.state === "no_data" || service.state === "gone" ? service.last_seen_ts : null,
      open: openOf(incidents.get(service.id) ?? []),
    };
  });
}

export function sparkKey(service: string, metric: string): string {
  return `${metric} ${service}`;
}

function sooner(a: number, b: number): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

function grouped<T>(items: T[], by: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(by(item));
    if (group) group.push(item);
    else groups.set(by(item), [item]);
  }
  return groups;
}

export function toneOf(finding: Finding): Tone | null {
  if (finding.severity === "Critical") return "critical";
  if (finding.severity === "High") return "high";
  if (finding.severity === "Unavailable") return "none";
  return finding.prediction === "Anomaly" ? "warning" : null;
}

/** "≥ 10,000 ms", "no data". */
export function nowOf(finding: Finding): string {
  if (finding.value === null) return finding.gap === "idle" ? "idle" : "no data";
  return `${finding.at_least ? "≥ " : ""}${amount(finding.value, finding.unit)}`;
}

/** The band within what is possible: a ratio isn't expected below zero. */
export function expectedOf(finding: Finding, metric?: CatalogueMetric): string | null {
  const { lower, upper, unit } = finding;
  if (lower === null || upper === null) return null;
  const valid = metric?.valid;
  return range(Math.max(lower, valid?.from ?? lower), Math.min(upper, valid?.to ?? upper), unit);
}

function cellOf(finding: Finding, metric: CatalogueMetric, values: Cell["values"]): Cell {
  return {
    metric: finding.id,
    title: finding.title,
    value: nowOf(finding),
    tone: toneOf(finding),
    expected: expectedOf(finding, metric),
    why: finding.why,
    values,
  };
}

const WEIGHT: Partial<Record<Tone, number>> = { critical: 3, high: 2, warning: 1 };

function worstOf(service: Service, findings: Finding[], sparks: Sparks): Row["worst"] {
  const bad = findings.map((finding) => {
    const tone = toneOf(finding);
    return { finding, tone, weight: (tone && WEIGHT[tone]) || 0 };
  });
  const [worst] = bad
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => b.weight - a.weight || (b.finding.score ?? 0) - (a.finding.score ?? 0));
  if (!worst?.tone || service.state === "normal" || service.state === "no_data") return null;
  const { finding, tone } = worst;
  return { ...said(finding), tone, values: sparks.get(sparkKey(service.id, finding.id)) ?? null };
}

function said(finding: Finding): Said {
  const [title, value] = [inSentence(finding.title), nowOf(finding)];
  return { metric: finding.id, title, value, words: `${title} ${value}` };
}

/**
 * The farthest on the way from what is expected to its threshold, in whichever direction that lies;
 * without thresholds the most unusual.
 */
export function nearestOf(findings: Finding[]): Said | null {
  const known = findings.filter(({ value }) => value !== null);
  const near = known.flatMap((finding) => {
    const { value, high, expected } = finding;
    if (value === null || high === null || high === (expected ?? 0)) return [];
    return [{ finding, share: (value - (expected ?? 0)) / (high - (expected ?? 0)) }];
  });
  const unusual = known.map((finding) => ({ finding, share: finding.score ?? 0 }));
  const [nearest] = (near.length > 0 ? near : unusual).sort((a, b) => b.share - a.share);
  return nearest ? said(nearest.finding) : null;
}

/** A title within a sentence: "latency p99", but "CPU". */
export function inSentence(title: string): string {
  return /^[A-Z][a-z]/.test(title) ? title.charAt(0).toLowerCase() + title.slice(1) : title;
}

function openOf(incidents: Incident[]): Row["open"] {
  const [oldest] = [...incidents].sort((a, b) => Date.parse(a.opened_ts) - Date.parse(b.opened_ts));
  if (!oldest) return null;
  return {
    count: incidents.length,
    newest: Math.max(...incidents.map(({ id }) => id)),
    since: oldest.opened_ts,
    hands: handsOf(incidents),
  };
}

/** Whether somebody is at them already: "acknowledged, kim", "1 acknowledged"; nothing where nobody is. */
function handsOf(incidents: Incident[]): string | null {
  const taken = incidents.filter(({ status }) => status === "ACKNOWLEDGED").length;
  const owners = [...new Set(incidents.flatMap(({ owner }) => owner ?? []))].sort();
  const acknowledged = taken === incidents.length ? "acknowledged" : `${taken} acknowledged`;
  return [...(taken > 0 ? [acknowledged] : []), ...owners].join(", ") || null;
}
