/** How fresh the data is, and what it is judged by, in one line. */
import type { Finding } from "@/api/services.ts";
import type { Status } from "@/api/status.ts";
import { counted } from "@/lib/amount.ts";
import { length } from "@/lib/time.ts";
import type { Part } from "./headline.ts";

const REASONS: Record<NonNullable<Finding["gap"]>, string> = {
  no_data: "without data",
  idle: "idle",
  stale: "stale",
  repeated: "with repeated samples",
  non_finite: "not a number",
  out_of_range: "out of range",
  ambiguous: "ambiguous",
  query_failed: "whose query failed",
  source_down: "cut off from the source",
};

type Known = Pick<Status, "tick_seconds" | "training">;

export function footingOf(
  findings: Finding[],
  evaluatedAt: string | null,
  status: Known | undefined,
  now: number,
): Part[] {
  if (findings.length === 0) return [];
  return [
    ...fresh(findings),
    ...evaluated(evaluatedAt, status, now),
    "; ",
    ...trained(findings, status),
    ".",
  ];
}

function fresh(findings: Finding[]): Part[] {
  const gaps = new Map<NonNullable<Finding["gap"]>, number>();
  for (const { gap } of findings) if (gap) gaps.set(gap, (gaps.get(gap) ?? 0) + 1);
  const missing = [...gaps.values()].reduce((sum, count) => sum + count, 0);
  if (missing === 0) return [`All ${counted(findings.length, "series", "series")} are fresh`];
  const reasons = [...gaps]
    .sort(([, a], [, b]) => b - a)
    .map(([gap, count]) => `${count} ${REASONS[gap]}`)
    .join(", ");
  return [
    `${findings.length - missing} of ${counted(findings.length, "series", "series")} are fresh, ${reasons}`,
  ];
}

/** Only where it is later than it should be. */
function evaluated(at: string | null, status: Known | undefined, now: number): Part[] {
  if (!at || !status) return [];
  const late = now - Date.parse(at);
  if (late < Math.max(status.tick_seconds * 4, 60) * 1000) return [];
  return [`, judged ${length(late)} ago (`, { at: Date.parse(at) }, ")"];
}

function trained(findings: Finding[], status: Known | undefined): Part[] {
  const times = findings.flatMap(({ trained_at: at }) => (at ? [Date.parse(at)] : []));
  const parts: Part[] = [];
  if (times.length === 0) parts.push("no model is trained yet");
  else {
    const [first, last] = [Math.min(...times), Math.max(...times)];
    parts.push(
      times.length === findings.length ? "models trained " : `${counted(times.length, "model")} trained `,
    );
    parts.push({ at: last });
    if (last - first > 3_600_000) parts.push(" (the oldest ", { at: first }, ")");
  }
  if (status?.training.running) parts.push(", training now");
  else if (status?.training.next_run) parts.push(", next ", { at: Date.parse(status.training.next_run) });
  return parts;
}
