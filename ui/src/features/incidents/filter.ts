/** What the address asks of the list, and what of it the server can answer. */
import type { IncidentFilter, IncidentSort } from "@/api/incidents.ts";
import { type Range, rangeOf, seconds } from "@/lib/time.ts";

/** As it stands behind the question mark. */
export interface Asked {
  status?: string;
  severity?: string;
  service?: string;
  metric?: string;
  kind?: string;
  owner?: string;
  text?: string;
  range?: string;
  sort?: string;
}

const STATUSES = ["OPEN", "ACKNOWLEDGED", "RESOLVED"] as const;
const SEVERITIES = ["High", "Critical"] as const;
export const SORTS = ["opened", "last_seen", "severity", "service"] as const;
export type SortBy = (typeof SORTS)[number];

/** Owners that aren't names. */
export const ME = "me";
export const NOBODY = "nobody";

/** The sort of the address; without one the newest are first. */
export function sorting(asked: Asked): { by: SortBy; isDescending: boolean } {
  const isDescending = asked.sort === undefined || asked.sort.startsWith("-");
  const by = SORTS.find((known) => known === asked.sort?.replace(/^-/, ""));
  return by ? { by, isDescending } : { by: "opened", isDescending: true };
}

/** What the address says after a column's heading was pressed: the other way round, or a new column. */
export function sortedBy(asked: Asked, by: SortBy): string {
  const now = sorting(asked);
  // Times and severities are asked for with the greatest first, names with the first.
  const isDescending = now.by === by ? !now.isDescending : by !== "service";
  return `${isDescending ? "-" : ""}${by}`;
}

/** The window of time, if one is asked for and can be understood. */
export function windowOf(asked: Asked, now: number): Range | null {
  return asked.range ? rangeOf(asked.range, now) : null;
}

/** As the server takes it. `me` is the name of who asks. */
export function filterOf(asked: Asked, me: string | null, now: number): IncidentFilter {
  const { by, isDescending } = sorting(asked);
  const range = windowOf(asked, now);
  const status = STATUSES.find((known) => known === asked.status);
  const severity = SEVERITIES.find((known) => known === asked.severity);
  const kind = asked.kind === "metrics" || asked.kind === "availability" ? asked.kind : undefined;
  const sort: IncidentSort = `${isDescending ? "-" : ""}${by}`;
  return {
    status: status ? [status] : asked.status === "all" ? undefined : ["OPEN", "ACKNOWLEDGED"],
    severity: severity && [severity],
    service: asked.service,
    metric: asked.metric,
    kind,
    owner: ownerOf(asked.owner, me),
    text: asked.text?.slice(0, 200),
    from: range ? seconds(range.from) : undefined,
    to: range ? seconds(range.to) : undefined,
    sort,
  };
}

function ownerOf(owner: string | undefined, me: string | null): string | undefined {
  if (owner === NOBODY) return "";
  // Who has no name yet owns nothing: no one has a name of blanks.
  if (owner === ME) return me ?? " ";
  return owner;
}

/** Whether anything besides the sort was asked for. */
export function isFiltered(asked: Asked): boolean {
  const { sort: _, ...filters } = asked;
  return Object.values(filters).some((value) => value !== undefined && value !== "");
}
