/** The parts that watch: where metrics come from, judging in time, what was missing, what is learnt. */
import type { Status } from "@/api/status.ts";
import type { Tone } from "@/components/state.tsx";
import { counted, number } from "@/lib/amount.ts";
import { ago } from "@/lib/time.ts";
import { type Part, sentence } from "./part.ts";

const SOURCE: Record<Status["source"]["state"], [Tone, string]> = {
  healthy: ["normal", "Healthy"],
  partial: ["high", "Partial"],
  down: ["critical", "Down"],
  unknown: ["none", "Not asked yet"],
};

export function source({ source }: Status): Part {
  const [tone, word] = SOURCE[source.state];
  const skew = Math.abs(source.skew_seconds);
  const isSkewed = skew > 0;
  return {
    id: "source",
    name: "Source of metrics",
    tone: tone === "normal" && isSkewed ? "warning" : tone,
    word: tone === "normal" && isSkewed ? "Clocks differ" : word,
    facts: [
      `${source.url}${source.since ? `, ${word.toLowerCase()} since ${source.since}` : ""}.`,
      ...(source.why ? [sentence(source.why)] : []),
      ...(source.state !== "healthy" && source.answered_at
        ? [`It last answered ${source.answered_at}.`]
        : []),
      ...(isSkewed
        ? [
            `Its clock is ${number(skew)}\u202fs ${source.skew_seconds > 0 ? "ahead of" : "behind"} this machine's.`,
          ]
        : []),
    ],
  };
}

/** So many ticks may pass before an evaluation is late. */
const LATE_TICKS = 4;

export function ticks({ ticks, tick_seconds, evaluated_at }: Status, now: number): Part {
  const isLate =
    evaluated_at !== null && now - Date.parse(evaluated_at) > (LATE_TICKS * tick_seconds + 30) * 1000;
  const isSlow = ticks.last_seconds !== null && ticks.last_seconds > tick_seconds;
  const [tone, word]: [Tone, string] = isLate
    ? ["high", "Late"]
    : isSlow
      ? ["high", "Too slow"]
      : ticks.evaluated === 0
        ? ["none", "None yet"]
        : ticks.missed > 0
          ? ["warning", `${number(ticks.missed)} missed`]
          : ["normal", "In time"];
  const took =
    ticks.last_seconds === null
      ? []
      : [
          `The last took ${spent(ticks.last_seconds)}, the slowest ${spent(ticks.slowest_seconds ?? ticks.last_seconds)}, of the ${number(tick_seconds)}\u202fs there are.`,
        ];
  return {
    id: "ticks",
    name: "Evaluation",
    tone,
    word,
    facts: [
      `${number(ticks.evaluated)} evaluated since the start, ${ticks.missed === 0 ? "none" : number(ticks.missed)} missed.`,
      ...(evaluated_at ? [`The newest is of ${evaluated_at}, ${ago(evaluated_at, now)}.`] : []),
      ...took,
    ],
  };
}

function spent(seconds: number): string {
  return seconds < 1 ? `${number(seconds * 1000)}\u202fms` : `${number(seconds)}\u202fs`;
}

export function gaps({ gaps }: Status): Part {
  const worst = gaps.toSorted((one, other) => other.count - one.count).filter(({ count }) => count > 0);
  const total = worst.reduce((sum, { count }) => sum + count, 0);
  const isFault = worst.some(({ reason }) => reason === "query_failed" || reason === "source_down");
  return {
    id: "gaps",
    name: "Gaps",
    more: "gaps",
    tone: isFault ? "warning" : "normal",
    word: total === 0 ? "None" : `${number(total)} since the start`,
    facts:
      worst.length === 0
        ? ["Every series had a usable sample at every tick."]
        : [`Most often: ${worst[0]?.detail}.`],
  };
}

export function backfill({ backfill }: Status): Part {
  const base = { id: "backfill", name: "Backfill" };
  const read = `${counted(backfill.samples, "sample")} read.`;
  if (backfill.failure)
    return { ...base, tone: "high", word: "Failed", facts: [sentence(backfill.failure), read] };
  if (backfill.phase === "done") return { ...base, tone: "normal", word: "Done", facts: [read] };
  const phase = backfill.phase || "waiting";
  return {
    ...base,
    tone: "none",
    word: `${number(100 * backfill.done)}\u202f%`,
    facts: [`${sentence(phase)} ${read}`],
  };
}

export function services({ services, series }: Status): Part {
  return {
    id: "services",
    name: "Services",
    tone: services.gone > 0 ? "gone" : "normal",
    word: services.gone > 0 ? `${services.gone} gone` : `${services.up} up`,
    facts: [
      `${counted(services.up, "service")} up with ${counted(series, "series", "series")}, ${services.gone} gone.`,
    ],
  };
}

/** Incidents are what Bellwether is for: that there are some is no fault of it. */
export function incidents({ incidents }: Status): Part {
  return {
    id: "incidents",
    name: "Incidents",
    tone: "normal",
    word: "Kept",
    facts: [`${counted(incidents.firing, "incident")} firing, ${incidents.unresolved} unresolved.`],
  };
}

export function training({ training, models, series }: Status): Part {
  const isPlanned = training.next_run !== null;
  return {
    id: "training",
    name: "Training",
    tone: training.running || isPlanned ? "normal" : "warning",
    word: training.running ? "Running" : isPlanned ? "Planned" : "Not planned",
    facts: [
      `${models} of ${counted(series, "series", "series")} have models.`,
      ...(training.next_run ? [`Next training ${training.next_run}.`] : []),
    ],
  };
}
