/** Services by state, for those with more of them than a table can show. */
import type { Service } from "@/api/services.ts";
import type { Place } from "./order.ts";
import { type Row, STATES } from "./rows.ts";

export interface Group {
  state: Service["state"];
  rows: Row[];
}

/** So many services that aren't as usual are told with their proof each; more are counted by state. */
export const TOLD_MOST = 16;

export function isTold(count: number): boolean {
  return count <= TOLD_MOST;
}

const [LEAST_PX, GREATEST_PX] = [100, 220];

/** So wide that nearly all names are read whole: those cut off begin alike and can't be told apart. */
export function tileWidth(names: string[]): number {
  const lengths = names.map((name) => name.length).sort((a, b) => a - b);
  const most = lengths[Math.ceil(lengths.length * 0.95) - 1] ?? 0;
  return Math.min(Math.max(Math.ceil(18 + most * 6.9), LEAST_PX), GREATEST_PX);
}

/** Nothing to be done, or nothing known. */
export function isCalm(state: Service["state"]): boolean {
  return state === "normal" || state === "no_data";
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
