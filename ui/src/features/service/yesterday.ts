/** What a metric was at this time yesterday: the middle of ten minutes of samples. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { seriesOnce } from "@/api/services.ts";
import { seconds } from "@/lib/time.ts";
import { median } from "./build.ts";

const DAY = 86_400_000;
const AROUND = 300_000;
/** So that all samples are given, not only the least and the greatest. */
const POINTS = 1_000;

/** Asked anew every five minutes; undefined until it is known. */
export function useYesterday(
  service: string,
  metric: string,
  evaluated: string | null,
): number | null | undefined {
  const now = evaluated ? Date.parse(evaluated) : Date.now();
  const at = Math.floor(now / AROUND) * AROUND - DAY;
  const asked = { service, metric, from: seconds(at - AROUND), to: seconds(at + AROUND), points: POINTS };
  return useQuery({
    ...seriesOnce(asked),
    select: ({ points }) => median(points.map(({ value }) => value)),
    placeholderData: keepPreviousData,
  }).data;
}
