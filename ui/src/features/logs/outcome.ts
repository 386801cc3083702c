/** What to say where there are no lines, and where the nearest are. */
import { type Range, rangeText } from "@/lib/time.ts";

const SIZES: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** "2 h 22 m" in milliseconds, and what its smallest unit leaves open. */
function lengthOf(text: string): { milliseconds: number; open: number } | null {
  const parts = [...text.matchAll(/(\d+) (ms|s|m|h|d)\b/g)].map(([, count, unit]) => ({
    count: Number(count),
    size: SIZES[unit ?? ""] ?? 0,
  }));
  if (parts.length === 0) return null;
  return {
    milliseconds: parts.reduce((sum, { count, size }) => sum + count * size, 0),
    open: Math.min(...parts.map(({ size }) => size)),
  };
}

export interface Nearest {
  /** "2 h 22 m after" */
  distance: string;
  /** Where the nearest line lies in the middle, as far as the sentence tells it. */
  range: string;
}

/** The nearest line, of the server's "nearest line 2 h 22 m after the window; …"; null where it names none. */
export function nearestOf(detail: string | null, window: Range): Nearest | null {
  const told = /nearest line ((?:\d+ (?:ms|s|m|h|d) )+)(before|after) the window/.exec(detail ?? "");
  const length = told?.[1] ? lengthOf(told[1]) : null;
  if (!told || !length) return null;
  const isBefore = told[2] === "before";
  const at = isBefore ? window.from - length.milliseconds : window.to + length.milliseconds;
  // The distance is told in two units: the line lies up to one of the smaller further away.
  const around = Math.max(length.open, 60_000);
  return {
    distance: `${told[1]?.trim()} ${told[2]}`,
    range: rangeText({ from: at - around, to: at + around }),
  };
}

/** An example of what to set, for the service's own file. */
export const LOGS_EXAMPLE = "logs:\n  - path: /var/log/{service}/app.json";
