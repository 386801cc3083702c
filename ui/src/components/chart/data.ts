/** Points of a series as a chart draws them. */
import type { Schemas } from "@/api/client.ts";
import type { Range } from "@/lib/time.ts";

export type Point = Schemas["SeriesPoint"];
export type Gap = Schemas["SeriesGap"];

/** Seconds since 1970, and the value at each; null breaks the line. */
export type Columns = [at: number[], value: (number | null)[]];

export function instant(at: string): number {
  return Date.parse(at);
}

/** The line, broken in the middle of each gap, from one end of the range to the other. */
export function columns(points: Point[], gaps: Gap[], range: Range): Columns {
  const rows: [number, number | null][] = points.map((point) => [instant(point.ts), point.value]);
  for (const gap of gaps) rows.push([(instant(gap.from) + instant(gap.to)) / 2, null]);
  rows.sort((a, b) => a[0] - b[0]);
  const first = rows[0]?.[0] ?? Number.POSITIVE_INFINITY;
  const last = rows.at(-1)?.[0] ?? Number.NEGATIVE_INFINITY;
  if (range.from < first) rows.unshift([range.from, null]);
  if (range.to > last) rows.push([range.to, null]);
  return [rows.map(([at]) => at / 1000), rows.map(([, value]) => value)];
}

/** A threshold that would press the values into less than this share of the height stays outside. */
const SHARE = 0.4;
/** Air above and below. */
const AIR = 0.08;
/** Values that reach down so far towards zero are drawn from zero. */
const FROM_ZERO = 0.6;

/**
 * The ends of the y axis: the values and the band, and the thresholds that are near enough to be
 * seen with them.
 */
export function ends(points: Point[], thresholds: (number | null)[]): [number, number] {
  let least = Number.POSITIVE_INFINITY;
  let greatest = Number.NEGATIVE_INFINITY;
  let isNegative = false;
  for (const { value, lower, upper } of points) {
    isNegative ||= value < 0;
    least = Math.min(least, value, lower ?? value);
    greatest = Math.max(greatest, value, upper ?? value);
  }
  const given = thresholds.filter((threshold) => threshold !== null);
  if (least > greatest) return [0, Math.max(1, ...given)];
  // A band may reach below zero where no value ever does.
  if (!isNegative && (least < 0 || least < FROM_ZERO * greatest)) least = 0;
  if (least === greatest) greatest = least + (Math.abs(least) || 1) * 0.5;
  const span = greatest - least;
  for (const threshold of given.toSorted((a, b) => Math.abs(a - greatest) - Math.abs(b - greatest))) {
    const low = Math.min(least, threshold);
    const high = Math.max(greatest, threshold);
    if (span / (high - low) >= SHARE) {
      least = low;
      greatest = high;
    }
  }
  const air = (greatest - least) * AIR;
  return [least === 0 ? 0 : least - air, greatest + air];
}

/** The place of the point that is nearest in time; -1 without points. */
export function nearest(points: Point[], at: number): number {
  let low = 0;
  let high = points.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    const point = points[middle];
    if (point && instant(point.ts) < at) low = middle + 1;
    else high = middle;
  }
  const here = points[low];
  if (!here) return -1;
  const before = points[low - 1];
  return before && at - instant(before.ts) < instant(here.ts) - at ? low - 1 : low;
}

/** The gap in which an instant lies. */
export function gapAt(gaps: Gap[], at: number): Gap | null {
  return gaps.find((gap) => instant(gap.from) < at && at < instant(gap.to)) ?? null;
}

/** Half, or twice, the range, around an instant as far as it lies inside. */
export function zoomed(range: Range, at: number, factor: number): Range {
  const middle = Math.min(Math.max(at, range.from), range.to);
  const from = Math.round(middle - (middle - range.from) * factor);
  const to = Math.round(middle + (range.to - middle) * factor);
  return to - from < 2_000 ? range : { from, to };
}

/** Of places along an axis those that leave room for a shape each; the first always does. */
export function thinned(places: number[], room: number): number[] {
  const kept: number[] = [];
  let last = Number.NEGATIVE_INFINITY;
  places.forEach((place, at) => {
    if (place - last < room) return;
    kept.push(at);
    last = place;
  });
  return kept;
}
