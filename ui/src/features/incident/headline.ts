/** The first thing that is read: what it is, whether it still goes on, and who has it. */
import type { Incident } from "@/api/incidents.ts";
import { ofSeverity, type Tone } from "@/components/state.tsx";
import { length } from "@/lib/time.ts";

export interface Headline {
  tone: Tone;
  word: string;
  /** One sentence of facts, with how long it went on. */
  sentence: string;
  /** What the sentence of the server says besides: why it is unusual. */
  reason: string | null;
}

const SINCE = /,? since \d{4}-\d\d-\d\dT[\d:.]+Z/;

export function headline(incident: Incident, now: number): Headline {
  const [fact = "", ...rest] = incident.summary.replace(SINCE, "").split("; ");
  const isGone = incident.kind === "availability" && incident.firing;
  const { tone, word } = isGone ? { tone: "gone" as const, word: "Gone" } : ofSeverity(incident.severity);
  const from = Date.parse(incident.onset_ts);
  const going = incident.firing
    ? `for ${length(now - from)}, still going`
    : `lasted ${length(Date.parse(incident.ended_ts ?? incident.last_seen_ts) - from)}`;
  return { tone, word, sentence: `${fact}, ${going}`, reason: rest.join("; ") || null };
}

/** The metrics besides the worst one. */
export function others(incident: Incident): Incident["members"] {
  const worst = worstMember(incident);
  return incident.members.filter((member) => member !== worst);
}

const RANK: Record<Incident["severity"], number> = { Critical: 3, High: 2, Normal: 1, Unavailable: 0 };

/** The most severe; of those as severe the one that was first. */
export function worstMember(incident: Incident): Incident["members"][number] | null {
  const ranked = incident.members.toSorted(
    (a, b) => RANK[b.severity] - RANK[a.severity] || Date.parse(a.onset_ts) - Date.parse(b.onset_ts),
  );
  return ranked[0] ?? null;
}

/** The incident that came after it, as its timeline says. */
export function followedBy(incident: Incident): number | null {
  const entry = incident.timeline?.findLast(({ event }) => event === "followed_by");
  const id = entry && /(\d+)\s*$/.exec(entry.text)?.[1];
  return id ? Number(id) : null;
}
