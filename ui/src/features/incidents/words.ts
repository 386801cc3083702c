/** A row of the list in words. */
import type { Incident } from "@/api/incidents.ts";
import { length } from "@/lib/time.ts";

/** The sentence without the service and the beginning, which have columns of their own. */
export function sentence(incident: Incident): string {
  const prefix = `${incident.service}: `;
  const text = incident.summary.startsWith(prefix) ? incident.summary.slice(prefix.length) : incident.summary;
  return text.replace(/, since \d{4}-\d\d-\d\dT[\d:.]+Z/, "");
}

/** "still going, 11 min", or how long it was; from the onset on. */
export function duration(incident: Incident, now: number): string {
  const from = Date.parse(incident.onset_ts);
  if (incident.firing) return `still going, ${length(now - from)}`;
  return length(Date.parse(incident.ended_ts ?? incident.last_seen_ts) - from);
}

const STATUS = { OPEN: "open", ACKNOWLEDGED: "acknowledged", RESOLVED: "resolved" } as const;

export function statusWord(incident: Incident): string {
  return incident.snoozed && incident.status !== "RESOLVED"
    ? `${STATUS[incident.status]}, snoozed`
    : STATUS[incident.status];
}
