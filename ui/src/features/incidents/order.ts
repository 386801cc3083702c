/**
 * The order in which incidents are shown. While somebody points at the list, or has scrolled it,
 * rows stay where they are: they are renewed in place, what is new waits until it is asked for.
 */
import type { Incident } from "@/api/incidents.ts";

export interface Row {
  incident: Incident;
  /** The server doesn't list it any more: it is shown as it was last. */
  isPast: boolean;
}

export interface Order {
  rows: Row[];
  /** How many wait to be shown. */
  fresh: number;
  /** Whether the server has another order by now. */
  isBehind: boolean;
}

/** What the server says, as it says it. */
export function taken(incidents: readonly Incident[]): Order {
  return { rows: incidents.map((incident) => ({ incident, isPast: false })), fresh: 0, isBehind: false };
}

/** What is shown stays in its order; what follows the last of it (a page more) is put behind it. */
export function held(shown: readonly Row[], incidents: readonly Incident[]): Order {
  if (shown.length === 0) return taken(incidents);
  const now = new Map(incidents.map((incident) => [incident.id, incident]));
  const ids = new Set(shown.map(({ incident }) => incident.id));
  const rows = shown.map((row): Row => {
    const incident = now.get(row.incident.id);
    return incident ? { incident, isPast: false } : { incident: row.incident, isPast: true };
  });
  const last = incidents.findLastIndex(({ id }) => ids.has(id));
  const below = incidents.slice(last + 1);
  // Where nothing that is shown is left, everything else is new.
  const behind = last === -1 ? [] : below;
  const waiting = last === -1 ? incidents : incidents.slice(0, last).filter(({ id }) => !ids.has(id));
  rows.push(...behind.map((incident) => ({ incident, isPast: false })));
  return { rows, fresh: waiting.length, isBehind: !isInOrder(rows, incidents) };
}

function isInOrder(rows: readonly Row[], incidents: readonly Incident[]): boolean {
  const ranks = new Map(incidents.map(({ id }, rank) => [id, rank]));
  let before = -1;
  for (const { incident, isPast } of rows) {
    if (isPast) continue;
    const rank = ranks.get(incident.id) ?? -1;
    if (rank < before) return false;
    before = rank;
  }
  return true;
}
