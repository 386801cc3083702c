/** What else moved: how far, as bars. */
import type { Schemas } from "@/api/client.ts";
import { number } from "@/lib/amount.ts";
import { length } from "@/lib/time.ts";

type Shift = Schemas["Shift"];

/** Effects end here: a series that never moved has no spread to be measured in. */
const MOST = 999;

/** In percent of the widest. Roots, so that the smaller ones can be seen beside a huge one. */
export function width(effect: number, items: Shift[]): number {
  const most = Math.max(...items.map((item) => Math.abs(item.effect)), 1);
  return Math.sqrt(Math.abs(effect) / most) * 100;
}

/** "rose, 26 × what is usual". */
export function effectInWords(shift: Shift): string {
  const size = Math.abs(shift.effect);
  return `${shift.direction}, ${size >= MOST ? `more than ${MOST}` : number(size)} spreads`;
}

/** "against the 44 min before". */
export function against(shifts: Schemas["Shifts"]): string {
  if (!shifts.baseline_from || !shifts.from) return "";
  return `, against the ${length(Date.parse(shifts.from) - Date.parse(shifts.baseline_from))} before`;
}
