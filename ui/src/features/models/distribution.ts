/** How rare the samples of a series were, by its model: counts by powers of ten, with what chance would give. */
import type { DatasetRow } from "@/api/training.ts";

/** Scores are capped here: one in a hundred million. */
const SCORE_MAX = 8;

const whole = new Intl.NumberFormat("en");

export interface Bucket {
  /** "1 in 10 to 1 in 100" */
  words: string;
  count: number;
  share: number;
  /** The share if nothing unusual ever happened. */
  byChance: number;
}

export interface Distribution {
  scored: number;
  /** Rows without a score, such as those of before the first model. */
  unscored: number;
  firstAt: string | null;
  lastAt: string | null;
  buckets: Bucket[];
}

export function distributionOf(rows: Pick<DatasetRow, "score" | "timestamp">[]): Distribution {
  const counts = new Array<number>(SCORE_MAX).fill(0);
  const scored = rows.filter((row): row is typeof row & { score: number } => row.score !== null);
  for (const { score } of scored) {
    const at = Math.min(SCORE_MAX - 1, Math.max(0, Math.floor(score)));
    counts[at] = (counts[at] ?? 0) + 1;
  }
  return {
    scored: scored.length,
    unscored: rows.length - scored.length,
    firstAt: scored[0]?.timestamp ?? null,
    lastAt: scored.at(-1)?.timestamp ?? null,
    buckets: counts.map((count, at) => ({
      words: words(at),
      count,
      share: scored.length > 0 ? count / scored.length : 0,
      byChance: at === SCORE_MAX - 1 ? 10 ** -at : 0.9 * 10 ** -at,
    })),
  };
}

function words(at: number): string {
  if (at === 0) return "more often than 1 in 10";
  if (at === SCORE_MAX - 1) return `1 in ${whole.format(10 ** at)} and rarer`;
  return `1 in ${whole.format(10 ** at)} to 1 in ${whole.format(10 ** (at + 1))}`;
}

/** "90 %", "0.09 %", "0.00009 %": as many digits as it takes. */
export function percent(share: number): string {
  if (share === 0) return "0\u202f%";
  const value = 100 * share;
  const digits = value >= 10 ? 0 : value >= 1 ? 1 : Math.min(6, 1 - Math.floor(Math.log10(value)));
  return `${value
    .toFixed(digits)
    .replace(/(\.\d*?)0+$/, "$1")
    .replace(/\.$/, "")}\u202f%`;
}
