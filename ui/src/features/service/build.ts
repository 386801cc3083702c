/** The data of the page of a service: which metric first, since when, against yesterday. */
import type { Schemas } from "@/api/client.ts";
import type { Incident } from "@/api/incidents.ts";
import type { Finding, Service } from "@/api/services.ts";
import type { Mute } from "@/api/status.ts";
import type { Job } from "@/api/training.ts";
import type { Tone } from "@/components/state.tsx";
import { against, amount } from "@/lib/amount.ts";

/** How a metric is now. */
export function stateOf(finding: Pick<Finding, "severity" | "prediction">): { tone: Tone; word: string } {
  if (finding.severity === "Critical") return { tone: "critical", word: "Critical" };
  if (finding.severity === "High") return { tone: "high", word: "High" };
  if (finding.severity === "Unavailable") return { tone: "none", word: "No data" };
  if (finding.prediction === "Anomaly") return { tone: "warning", word: "Anomaly" };
  return { tone: "normal", word: "Normal" };
}

const RANKS: Record<Tone, number> = { critical: 0, gone: 0, high: 1, warning: 2, none: 3, normal: 4 };

/** The worst first; of equals the rarer while it is an anomaly, else by title, so that nothing jumps. */
export function worstFirst(findings: Finding[]): Finding[] {
  const rank = (finding: Finding) => RANKS[stateOf(finding).tone];
  const score = (finding: Finding) => (finding.prediction === "Anomaly" ? Math.round(finding.score ?? 0) : 0);
  return findings.toSorted(
    (a, b) => rank(a) - rank(b) || score(b) - score(a) || a.title.localeCompare(b.title),
  );
}

/** Those in an order that was kept, with new ones at the end. */
export function inOrder(findings: Finding[], ids: readonly string[]): Finding[] {
  const place = (finding: Finding) => {
    const at = ids.indexOf(finding.id);
    return at === -1 ? ids.length : at;
  };
  return findings.toSorted((a, b) => place(a) - place(b));
}

/** The services before and after in the order of names, and from one end to the other. */
export function neighbours(services: Service[], id: string): { before: string | null; after: string | null } {
  const ids = services.map((service) => service.id).toSorted((a, b) => a.localeCompare(b));
  const at = ids.indexOf(id);
  if (at === -1 || ids.length < 2) return { before: null, after: null };
  return { before: ids.at(at - 1) ?? null, after: ids[(at + 1) % ids.length] ?? null };
}

export interface Since {
  at: string;
  /** Where the instant comes from, in words; for a title. */
  because: string;
}

/** Since when a service is as it is, as far as that is known. */
export function since(
  service: Service,
  unresolved: Incident[],
  newest: Incident | null,
  decision: Schemas["Decision"] | null,
): Since | null {
  const firing = unresolved.find((incident) => incident.id === service.incident);
  if (firing) return { at: firing.onset_ts, because: `the onset of incident #${firing.id}` };
  if (service.state === "no_data" && service.last_seen_ts) {
    return { at: service.last_seen_ts, because: "when it was last seen" };
  }
  if (service.state === "normal") {
    if (!newest?.ended_ts) return null;
    return { at: newest.ended_ts, because: `the end of incident #${newest.id}` };
  }
  if (!decision) return null;
  return { at: decision.since ?? decision.from, because: "the worst metric is judged so since then" };
}

/** The middle of the values; null of none. */
export function median(values: number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const high = sorted[middle];
  if (high === undefined) return null;
  const low = sorted[middle - 1];
  return sorted.length % 2 === 1 || low === undefined ? high : (low + high) / 2;
}

/** "178 ms, now +12 %"; a value of zero has no ratio. */
export function yesterday(now: number | null, then: number | null, unit: string): string {
  if (then === null) return "no value";
  const change = now === null ? null : now === then ? "the same" : against(now, then);
  if (change === "the same") return change;
  return change === null ? amount(then, unit) : `${amount(then, unit)}, now ${change}`;
}

/** The mute that keeps everyone from being told of a service; the one that holds longest. */
export function muteOf(mutes: Mute[], service: string): Mute | null {
  const own = mutes.filter((mute) => mute.active && mute.service === service);
  return own.toSorted((a, b) => end(b) - end(a))[0] ?? null;
}

function end(mute: Mute): number {
  return mute.until ? Date.parse(mute.until) : Number.POSITIVE_INFINITY;
}

/** The job that waits or runs and trains a metric of a service, or all of them (null). */
export function coveringJob(jobs: Job[], service: string, metric: string | null): Job | null {
  const covers = ({ selection, state }: Job) =>
    (state === "waiting" || state === "running") &&
    (selection.service === null || selection.service === service) &&
    (selection.metric === null || selection.metric === metric);
  return jobs.find(covers) ?? null;
}

/** A change event as a short label. */
export function changeText(event: Schemas["Event"]): string {
  return [event.kind, event.version ?? event.title].filter(Boolean).join(" ");
}
