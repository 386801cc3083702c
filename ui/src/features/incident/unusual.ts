/** How unusual it is: which stretch is drawn, and the reasons in words. */
import type { Schemas } from "@/api/client.ts";
import type { Incident } from "@/api/incidents.ts";
import type { Range } from "@/lib/time.ts";

const MINUTE = 60_000;
const BEFORE = 60 * MINUTE;
const AFTER = 15 * MINUTE;

/** From an hour before the onset until a quarter after the end, or now; in whole minutes, so that it rests. */
export function rangeAround(incident: Incident, now: number): Range {
  const ended = incident.ended_ts ? Date.parse(incident.ended_ts) + AFTER : now;
  return {
    from: Math.floor((Date.parse(incident.onset_ts) - BEFORE) / MINUTE) * MINUTE,
    to: Math.ceil(Math.min(ended, now) / MINUTE) * MINUTE,
  };
}

const FEATURES: Record<Schemas["FeatureWord"], string> = {
  value: "the value",
  delta: "its change",
  rolling_mean: "the mean of late",
  rolling_std: "the spread of late",
  zscore: "its distance from the mean of late",
};

export interface Share {
  feature: string;
  /** In percent of the greatest. */
  width: number;
  text: string;
}

/** What the forest looked at, the weightiest first. */
export function shares(contributions: Schemas["Contribution"][] | null): Share[] {
  const sorted = (contributions ?? []).toSorted((a, b) => b.contribution - a.contribution);
  const most = Math.max(...sorted.map(({ contribution }) => Math.abs(contribution)), Number.EPSILON);
  return sorted.map(({ feature, contribution }) => ({
    feature: FEATURES[feature],
    width: (Math.max(0, contribution) / most) * 100,
    text: `${contribution < 0 ? "\u2212" : "+"}${Math.abs(contribution).toFixed(3)}`,
  }));
}

/** The reasons as running text, without those that are drawn beside it as rows and bars. */
export function sentences(unusual: Schemas["Unusual"]): string {
  return unusual.text
    .filter((text) => !/^(components: |the forest points at )/.test(text))
    .map((text) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`)
    .join(" ");
}
