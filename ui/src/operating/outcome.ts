/** What an action on an incident will make of it, how it is taken back, and why it was refused. */
import type { Action, Incident } from "@/api/incidents.ts";
import { span } from "@/lib/time.ts";

/** How an incident will look, as far as that is known before the answer. */
export function expected(incident: Incident, action: Action, by: string, now: number): Incident {
  switch (action.do) {
    case "ack":
      return { ...incident, status: "ACKNOWLEDGED" };
    case "assign":
      return { ...incident, owner: action.owner };
    case "resolve":
      return {
        ...incident,
        status: "RESOLVED",
        snoozed: null,
        resolution: {
          at: new Date(now).toISOString(),
          by,
          note: action.note ?? null,
          decommissioned: action.decommissioned ?? false,
        },
      };
    case "reopen":
      return { ...incident, status: "OPEN", resolution: null };
    case "snooze": {
      if ("until" in action) {
        if (action.until === null) return { ...incident, snoozed: null };
        return { ...incident, snoozed: { by, until: action.until === "change" ? null : action.until } };
      }
      const length = span(action.for);
      return {
        ...incident,
        snoozed: { by, until: length === null ? null : new Date(now + length).toISOString() },
      };
    }
    case "severity":
      return {
        ...incident,
        severity: action.severity ?? incident.computed_severity,
        severity_set: action.severity !== null,
      };
    case "comment":
      return incident;
  }
}

/** The actions that take one back; null where that isn't offered. */
export function undoing(incident: Incident, action: Action): Action[] | null {
  if (action.do !== "resolve" || incident.status === "RESOLVED") return null;
  const reopen: Action = { do: "reopen", note: "resolved by mistake" };
  return incident.status === "ACKNOWLEDGED" ? [reopen, { do: "ack" }] : [reopen];
}

/** Why an incident stays as it was. */
export function refusal(incident: Incident, status: number | null, detail: string): string {
  const who = `#${incident.id} ${incident.service} stays as it was`;
  if (status === 412) return `${who}: somebody changed it meanwhile. It is shown as it is now.`;
  if (status === 403) return `${who}: you may not change it (${detail})`;
  return `${who}: ${detail}`;
}
