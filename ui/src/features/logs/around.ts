/** The neighbours of a line, whatever was searched for. */
import type { LogLine, LogQuestion } from "@/api/logs.ts";
import { seconds } from "@/lib/time.ts";

export const NEIGHBOURS = 5;
/** Lines further away are no neighbours. */
const REACH_MS = 10 * 60_000;

/** Questions for what stands before and after. */
export function neighbourQuestions(
  service: string,
  line: LogLine,
): { before: LogQuestion; after: LogQuestion } {
  const at = Date.parse(line.time);
  return {
    before: { service, from: seconds(at - REACH_MS), to: seconds(at), order: "newest" },
    after: { service, from: seconds(at), to: seconds(at + REACH_MS), order: "oldest" },
  };
}

function isSame(one: LogLine, other: LogLine): boolean {
  return (
    one.time === other.time &&
    one.message === other.message &&
    one.level === other.level &&
    one.span_id === other.span_id &&
    one.logger === other.logger
  );
}

/** Up to five on each side, in the order of time; both answers begin with the lines of that very millisecond. */
export function neighbours(
  line: LogLine,
  before: LogLine[],
  after: LogLine[],
): { before: LogLine[]; after: LogLine[] } {
  const own = after.findIndex((one) => isSame(one, line));
  const following = after.slice(own + 1);
  const preceding = before
    .filter((one) => one.time !== line.time)
    .toReversed()
    .concat(own > 0 ? after.slice(0, own) : []);
  return { before: preceding.slice(-NEIGHBOURS), after: following.slice(0, NEIGHBOURS) };
}
