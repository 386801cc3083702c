/** Services by state, for those with more of them than a table can show. */
import type { Service } from "@/api/services.ts";
import type { Place } from "./order.ts";
import { type Row, STATES } from "./rows.ts";

export interface Group {
  state: Service["state"];
  rows: Row[];
}

/** In the places that are held: a row whose state has changed meanwhile stays where it is. */
export function groupsOf(rows: Row[], places: Place[]): Group[] {
  const byId = new Map(rows.map((row) => [row.id, row]));
  const groups = new Map<string, Row[]>(STATES.map((state) => [state, []]));
  for (const { id, group } of places) {
    const row = byId.get(id);
    if (row) groups.get(group)?.push(row);
  }
  return STATES.map((state) => ({ state, rows: groups.get(state) ?? [] })).filter(
    ({ rows }) => rows.length > 0,
  );
}

/** Rows in the order of their places. */
export function inPlace(rows: Row[], places: Place[]): Row[] {
  const byId = new Map(rows.map((row) => [row.id, row]));
  return places.flatMap(({ id }) => byId.get(id) ?? []);
}
