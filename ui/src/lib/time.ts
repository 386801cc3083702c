/** Instants and lengths of time, as people read them. Times of the API are RFC 3339 in UTC. */

const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });
const dayWithYear = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric" });

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Local time; with the day where it isn't today's: "14:02:10", "12 Oct, 14:02:10". */
export function local(at: string | number, now: number): string {
  const when = new Date(at);
  const today = new Date(now);
  const time = clock.format(when);
  if (when.toDateString() === today.toDateString()) return time;
  const date = when.getFullYear() === today.getFullYear() ? day.format(when) : dayWithYear.format(when);
  return `${date}, ${time}`;
}

/** "2026-11-23 14:02:10 UTC". */
export function utc(at: string | number): string {
  return `${new Date(at).toISOString().replace("T", " ").slice(0, 19)} UTC`;
}

/** A length of time in its two largest units: "11 min", "1 h 20 min", "3 d 4 h". */
export function length(milliseconds: number): string {
  const units: [string, number][] = [
    ["d", DAY],
    ["h", HOUR],
    ["min", MINUTE],
    ["s", SECOND],
  ];
  const total = Math.max(0, milliseconds);
  const first = units.findIndex(([, size]) => total >= size);
  if (first === -1) return "0\u202fs";
  const [name, size] = units[first] as [string, number];
  const count = Math.floor(total / size);
  const [smaller, step] = units[first + 1] ?? ["", 0];
  const rest = step && count < 10 ? Math.floor((total % size) / step) : 0;
  return rest > 0 ? `${count}\u202f${name} ${rest}\u202f${smaller}` : `${count}\u202f${name}`;
}

/** "10 s ago", "in 3 h"; the clocks of two machines differ, so a second around now is now. */
export function ago(at: string | number, now: number): string {
  const passed = now - new Date(at).getTime();
  if (Math.abs(passed) < 1.5 * SECOND) return "now";
  return passed > 0 ? `${length(passed)} ago` : `in ${length(-passed)}`;
}

/** Reads "15m", "6h", "7d" as milliseconds; null for anything else. */
export function span(text: string): number | null {
  const parts = /^(\d{1,4})(s|m|h|d)$/.exec(text);
  if (!parts) return null;
  const size = { s: SECOND, m: MINUTE, h: HOUR, d: DAY }[parts[2] as "s" | "m" | "h" | "d"];
  return Number(parts[1]) * size;
}

export interface Range {
  from: number;
  to: number;
}

/** A range in the address is a span up to now ("1h") or two instants ("FROM..TO", epoch seconds). */
export function rangeOf(text: string, now: number): Range | null {
  const back = span(text);
  if (back !== null) return { from: now - back, to: now };
  const ends = /^(\d{9,11})\.\.(\d{9,11})$/.exec(text);
  if (!ends) return null;
  const [from, to] = [Number(ends[1]) * SECOND, Number(ends[2]) * SECOND];
  return from < to ? { from, to } : null;
}

export function rangeText(range: Range): string {
  return `${Math.floor(range.from / SECOND)}..${Math.ceil(range.to / SECOND)}`;
}

/** For parameters of the API. */
export function seconds(at: number): string {
  return (at / SECOND).toFixed(3).replace(/\.?0+$/, "");
}
