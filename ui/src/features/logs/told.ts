/** A log line as it is shown: what is marked, what is folded, and its place among others. */
import type { LogLine } from "@/api/logs.ts";

export interface Piece {
  text: string;
  isMarked: boolean;
}

/** A text in pieces, those marked that were searched for, in any case. */
export function pieces(text: string, searched: string): Piece[] {
  if (!searched) return [{ text, isMarked: false }];
  const lower = text.toLowerCase();
  // Where lower case has another length (İ), places in the one are no places in the other.
  const sought = lower.length === text.length ? searched.toLowerCase() : searched;
  const within = lower.length === text.length ? lower : text;
  const found: Piece[] = [];
  let from = 0;
  for (let at = within.indexOf(sought); at !== -1; at = within.indexOf(sought, from)) {
    if (at > from) found.push({ text: text.slice(from, at), isMarked: false });
    found.push({ text: text.slice(at, at + sought.length), isMarked: true });
    from = at + sought.length;
  }
  if (from < text.length || found.length === 0) found.push({ text: text.slice(from), isMarked: false });
  return found;
}

/** "IllegalStateException" of "java.lang.IllegalStateException". */
export function shortName(className: string): string {
  return className.slice(className.lastIndexOf(".") + 1);
}

/** How many lines of a stack trace lie below its first. */
export function depth(stackTrace: string): number {
  return stackTrace.trimEnd().split("\n").length;
}

const clock = new Intl.DateTimeFormat("en-GB", {
  hour: "2-digit",
  minute: "2-digit",
  second: "2-digit",
  fractionalSecondDigits: 3,
});
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

/** Local time with milliseconds; the day where it isn't today's. */
export function exactly(at: string | number, now: number): string {
  const when = new Date(at);
  const time = clock.format(when);
  return when.toDateString() === new Date(now).toDateString() ? time : `${day.format(when)}, ${time}`;
}

/** "2026-11-23 07:23:08.897 UTC". */
export function exactlyUtc(at: string | number): string {
  return `${new Date(at).toISOString().replace("T", " ").replace("Z", "")} UTC`;
}

/** The place of the first line that lies at or behind an instant in the order of reading. */
export function placeOf(
  lines: readonly Pick<LogLine, "time">[],
  at: number,
  order: "oldest" | "newest",
): number {
  const place = lines.findIndex(({ time }) => {
    const when = Date.parse(time);
    return order === "oldest" ? when >= at : when <= at;
  });
  return place === -1 ? lines.length : place;
}

/** The next line at ERROR behind this one; null where none is loaded. */
export function nextError(lines: readonly Pick<LogLine, "level">[], after: number): number | null {
  const at = lines.findIndex(({ level }, index) => index > after && level === "ERROR");
  return at === -1 ? null : at;
}
