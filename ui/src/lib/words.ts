/** Words of the API in sentences of people: why there is no value, what a model says, how a training ended. */
import type { Schemas } from "@/api/client.ts";
import { number } from "./amount.ts";

const GAPS: Record<Schemas["GapWord"], string> = {
  no_data: "the source has no such series for this service",
  idle: "idle: no traffic, so there is nothing to measure",
  stale: "the newest sample is too old",
  repeated: "no new sample since the last evaluation",
  non_finite: "the value is not a finite number",
  out_of_range: "the value is outside what the metric can be",
  ambiguous: "several series answered where one was expected",
  query_failed: "the query failed",
  source_down: "the source could not be asked",
};

const STRETCHES: Record<string, string> = {
  ...GAPS,
  not_running: "Bellwether did not run, and the source had no samples of it",
  not_watched: "it was not watched",
  no_sample: "no sample, and nothing says why",
};

/** Why there is no sample now. */
export function gapInWords(gap: Schemas["GapWord"]): string {
  return GAPS[gap];
}

/** Why a stretch of a series has no samples; the server's own sentence for a reason that is new to these pages. */
export function stretchInWords(gap: Schemas["SeriesGap"]): string {
  return STRETCHES[gap.reason] ?? (gap.detail || gap.reason);
}

const PREDICTIONS: Record<Schemas["PredictionWord"], string> = {
  Normal: "as usual",
  Anomaly: "anomaly",
  Unknown: "not judged",
};

/** What the model says of a sample. */
export function predictionInWords(prediction: Schemas["PredictionWord"]): string {
  return PREDICTIONS[prediction];
}

const OUTCOMES: Record<Schemas["OutcomeWord"], string> = {
  trained: "trained",
  not_enough_samples: "too few samples to train",
  kept_old: "the older model was kept",
  failed: "failed",
};

function isOutcome(word: string): word is Schemas["OutcomeWord"] {
  return Object.hasOwn(OUTCOMES, word);
}

/** How a training of one series ended. */
export function outcomeInWords(outcome: string): string {
  return isOutcome(outcome) ? OUTCOMES[outcome] : outcome.replaceAll("_", " ");
}

/** The judges of a series. */
export const JUDGES: Record<Schemas["ComponentWord"], string> = {
  forest: "Isolation forest",
  level: "Recent level",
  season: "Time of day",
  nearest_short: "Nearest short stretch",
  nearest_long: "Nearest long stretch",
  pattern: "Usual shapes",
};

/** How many samples there are to one that is so rare: 3 is once in 1,000. */
export function onceIn(rarity: number): string {
  return rarity >= 8 ? "over 100 million" : number(Math.round(10 ** rarity));
}

/** What a judge saw: the forest's score, or how many times the usual distance. */
export function statisticInWords({ name, statistic }: Schemas["Component"]): string {
  return name === "forest" ? `${number(statistic)} of 1` : `${number(statistic)}\u202f× usual`;
}

/** A score against its limit; the limit is left out where it isn't known. */
export function scoreInWords(score: number, limit: number | null): string {
  const has = `${number(score)} of 8`;
  return limit === null ? has : `${has}; an anomaly from ${number(limit)} on`;
}

const VERDICTS: Record<Schemas["VerdictWord"], string> = {
  calm: "nothing to tell",
  no_sample: "no sample to judge",
  waiting: "waits: past its threshold and anomalous, but not for long enough",
  crossing_without_anomaly: "past its threshold, but not an anomaly",
  anomaly_without_crossing: "an anomaly, but below its thresholds",
  opened: "opened an incident",
  joined: "joined an incident",
  extended: "kept an incident firing",
  calm_member: "calm again, while its incident still fires",
  held_by_resolve: "held: the incident was resolved by hand and it has not been calm since",
  not_watched: "not watched",
};

/** What was decided of a sample. */
export function verdictInWords(verdict: Schemas["VerdictWord"]): string {
  return VERDICTS[verdict];
}

const TRIGGERS: Record<Schemas["TriggerWord"], string> = {
  start: "at the start",
  backfill: "after loading the past",
  schedule: "as scheduled",
  request: "on request",
  command_line: "from the command line",
};

/** Why a training job ran. */
export function triggerInWords(trigger: Schemas["TriggerWord"]): string {
  return TRIGGERS[trigger];
}
