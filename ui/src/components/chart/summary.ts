/** What a chart shows, in words: for those who can't see it, and for the instant under the cursor. */
import { amount, counted, range as fromTo, number } from "@/lib/amount.ts";
import { length, local } from "@/lib/time.ts";
import { predictionInWords, stretchInWords } from "@/lib/words.ts";
import { type Gap, gapAt, instant, nearest, type Point } from "./data.ts";
import type { Shown } from "./shown.ts";

function isCrossing(point: Point): boolean {
  return point.severity === "High" || point.severity === "Critical";
}

/** How long the samples were past a threshold: from each such sample to the next, or to a gap. */
export function pastThreshold(points: Point[], gaps: Gap[]): number {
  let total = 0;
  points.forEach((point, at) => {
    const next = points[at + 1];
    if (!isCrossing(point) || !next) return;
    const from = instant(point.ts);
    const to = instant(next.ts);
    const gap = gapAt(gaps, (from + to) / 2);
    total += (gap ? Math.max(from, instant(gap.from)) : to) - from;
  });
  return total;
}

/** One sentence: lowest, highest, newest, anomalies, gaps, and how long past High. */
export function summary(title: string, shown: Shown, now: number): string {
  const { points, gaps, unit, range } = shown;
  const when = `${title}, ${local(range.from, now)} to ${local(range.to, now)}`;
  const newest = points.at(-1);
  if (!newest) {
    const why = gaps.at(-1);
    return `${when}: no samples${why ? `, because ${stretchInWords(why)}` : ""}.`;
  }
  const lowest = points.reduce((a, b) => (b.value < a.value ? b : a));
  const highest = points.reduce((a, b) => (b.value > a.value ? b : a));
  const anomalies = points.filter((point) => point.prediction === "Anomaly").length;
  const past = pastThreshold(points, gaps);
  const parts = [
    `lowest ${amount(lowest.value, unit)} at ${local(lowest.ts, now)}`,
    `highest ${amount(highest.value, unit)} at ${local(highest.ts, now)}`,
    `newest ${amount(newest.value, unit)} at ${local(newest.ts, now)}`,
    anomalies ? counted(anomalies, "anomaly", "anomalies") : "no anomaly",
    gaps.length ? counted(gaps.length, "gap") : "no gap",
  ];
  if (past > 0) parts.push(`past High for about ${length(past)}`);
  else if (points.some(isCrossing)) parts.push("past High at the end");
  else if (shown.high !== null) parts.push("never past High");
  return `${when}: ${parts.join(", ")}.`;
}

/** An instant that the cursor rests on: a sample, or the middle of a gap. */
export function rested(shown: Shown, at: number): number | null {
  const gap = gapAt(shown.gaps, at);
  if (gap) return (instant(gap.from) + instant(gap.to)) / 2;
  const point = shown.points[nearest(shown.points, at)];
  return point ? instant(point.ts) : null;
}

/** So near to a mark, as a share of the range, the mark is told. */
const NEAR = 0.012;

/** What there is at an instant, in the order in which it is asked: value, expectation, judgement, cause. */
export function told(shown: Shown, at: number, now: number): string[] {
  const { unit, range } = shown;
  const gap = gapAt(shown.gaps, at);
  const point = gap ? undefined : shown.points[nearest(shown.points, at)];
  const parts: string[] = [];
  if (gap) {
    parts.push(`no samples from ${local(gap.from, now)} to ${local(gap.to, now)}: ${stretchInWords(gap)}`);
  } else if (point) {
    parts.push(amount(point.value, unit));
    const usual = fromTo(point.lower, point.upper, unit);
    parts.push(usual ? `expected ${usual}` : "nothing was expected yet");
    parts.push(predictionInWords(point.prediction));
    const threshold = point.severity === "Critical" ? shown.critical : shown.high;
    if (isCrossing(point))
      parts.push(`past ${point.severity}${threshold === null ? "" : ` ${number(threshold)}`}`);
  }
  const incident = shown.incidents.find(
    ({ from, to }) => instant(from) <= at && (to === null || at <= instant(to)),
  );
  if (incident) parts.push(`incident #${incident.id}${incident.member ? "" : " of another metric"}`);
  const near = NEAR * (range.to - range.from);
  for (const mark of [...shown.changes, ...shown.marks]) {
    if (Math.abs(instant(mark.at) - at) <= near) parts.push(mark.text);
  }
  return parts;
}
