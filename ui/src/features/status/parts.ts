/** Bellwether's parts, each with how it stands in words; the worst first. */
import type { Status } from "@/api/status.ts";
import type { Tone } from "@/components/state.tsx";
import { bytes, counted, number } from "@/lib/amount.ts";
import { ago, length } from "@/lib/time.ts";

export interface Part {
  id: string;
  name: string;
  tone: Tone;
  word: string;
  /** Facts, one sentence each; instants in them are RFC 3339. */
  facts: string[];
  /** Where the page has more. */
  more?: "paging" | "targets" | "gaps" | "configuration";
}

const BADNESS: Record<Tone, number> = { critical: 0, gone: 1, high: 2, warning: 3, none: 4, normal: 5 };

export function partsOf(status: Status, now: number): Part[] {
  const parts = [
    readiness(status),
    source(status),
    ticks(status, now),
    paging(status),
    configuration(status),
    storage(status),
    embedded(status),
    backfill(status),
    services(status),
    incidents(status),
    training(status),
    gaps(status),
    remarks(status),
  ].filter((part) => part !== null);
  return parts.toSorted((one, other) => BADNESS[one.tone] - BADNESS[other.tone]);
}

/** "2 of 12 parts need attention: paging, storage". */
export function headline(parts: Part[]): string {
  const bad = parts.filter(({ tone }) => tone !== "normal" && tone !== "none");
  if (bad.length === 0) return "All parts are well.";
  const names = bad.map(({ name }) => name.toLowerCase()).join(", ");
  return `${bad.length} of ${parts.length} parts ${bad.length === 1 ? "needs" : "need"} attention: ${names}.`;
}

function readiness({ ready, not_ready_because, started_at }: Status): Part {
  const base = { id: "readiness", name: "Readiness" };
  return ready
    ? { ...base, tone: "normal", word: "Ready", facts: [`Started ${started_at}.`] }
    : { ...base, tone: "critical", word: "Not ready", facts: not_ready_because.map(sentence) };
}

const SOURCE: Record<Status["source"]["state"], [Tone, string]> = {
  healthy: ["normal", "Healthy"],
  partial: ["high", "Partial"],
  down: ["critical", "Down"],
  unknown: ["none", "Not asked yet"],
};

function source({ source }: Status): Part {
  const [tone, word] = SOURCE[source.state];
  const skew = Math.abs(source.skew_seconds);
  const isSkewed = skew > 0;
  return {
    id: "source",
    name: "Source of metrics",
    tone: tone === "normal" && isSkewed ? "warning" : tone,
    word: tone === "normal" && isSkewed ? "Clocks differ" : word,
    facts: [
      `${source.url}${source.since ? `, so since ${source.since}` : ""}.`,
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

function ticks({ ticks, tick_seconds, evaluated_at }: Status, now: number): Part {
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

const PAGING: Record<Status["paging"]["state"], [Tone, string]> = {
  on: ["normal", "On"],
  off: ["high", "Off"],
  failing: ["critical", "Failing"],
  unknown: ["high", "Not known"],
};

function paging({ paging }: Status): Part {
  const [tone, word] = PAGING[paging.state];
  const pending = `${counted(paging.pending, "page")} pending${paging.oldest_pending_ts ? `, the oldest of ${paging.oldest_pending_ts}` : ""}.`;
  const isGivenUp = tone === "normal" && paging.given_up_in_a_day > 0;
  return {
    id: "paging",
    name: "Paging",
    more: "paging",
    tone: isGivenUp ? "high" : tone,
    word: isGivenUp ? "Pages given up" : word,
    facts: [
      ...paging.because.map(sentence),
      ...(paging.receivers > 0 ? [`${counted(paging.receivers, "receiver")}.`] : []),
      ...(paging.pending > 0 ? [pending] : []),
      ...(paging.given_up_in_a_day > 0
        ? [`${counted(paging.given_up_in_a_day, "page")} given up in the last day.`]
        : []),
    ],
  };
}

function configuration({ configuration }: Status): Part {
  const { source, loaded_at, refused, needs_restart, warnings } = configuration;
  const [tone, word]: [Tone, string] = refused
    ? ["high", "Refused"]
    : needs_restart.length > 0
      ? ["warning", "Needs a restart"]
      : warnings.length > 0
        ? ["warning", "Warnings"]
        : ["normal", "In force"];
  return {
    id: "configuration",
    name: "Configuration",
    more: "configuration",
    tone,
    word,
    facts: [
      ...(refused ? [`The newest was refused, the one before is in force: ${sentence(refused)}`] : []),
      `From ${source}, loaded ${loaded_at}.`,
      ...(needs_restart.length > 0 ? [`Waiting for a restart: ${needs_restart.join(", ")}.`] : []),
      ...(warnings.length > 0 ? [`${counted(warnings.length, "warning")}.`] : []),
    ],
  };
}

function storage({ storage }: Status): Part {
  const base = { id: "storage", name: "Storage" };
  if (!storage) return { ...base, tone: "none", word: "Not measured yet", facts: [] };
  const used =
    storage.datasets_bytes + storage.models_bytes + storage.database_bytes + storage.quarantine_bytes;
  const share = used / storage.disk_max_bytes;
  const [tone, word]: [Tone, string] =
    share >= 0.9
      ? ["high", "Nearly full"]
      : storage.quarantine_bytes > 0
        ? ["warning", "Files set aside"]
        : ["normal", "Enough room"];
  return {
    ...base,
    tone,
    word,
    facts: [
      `${bytes(used)} of ${bytes(storage.disk_max_bytes)} in ${storage.data_dir}, ${number(100 * share)}\u202f%: datasets ${bytes(storage.datasets_bytes)}, database ${bytes(storage.database_bytes)}, models ${bytes(storage.models_bytes)}.`,
      ...(storage.quarantine_bytes > 0
        ? [`${bytes(storage.quarantine_bytes)} were damaged and are set aside in quarantine.`]
        : []),
    ],
  };
}

function embedded({ embedded }: Status): Part | null {
  if (!embedded) return null;
  const { targets, dropped_samples } = embedded;
  const down = targets.filter(({ up }) => up === false).length;
  const [tone, word]: [Tone, string] =
    down > 0
      ? ["high", `${down} of ${targets.length} targets down`]
      : dropped_samples > 0
        ? ["warning", "Samples dropped"]
        : targets.length === 0
          ? ["warning", "No targets"]
          : ["normal", `${counted(targets.length, "target")} up`];
  return {
    id: "embedded",
    name: "Embedded store",
    more: "targets",
    tone,
    word,
    facts: [
      `${number(embedded.samples)} samples of ${counted(embedded.series, "series", "series")}${embedded.oldest_ts ? ` since ${embedded.oldest_ts}` : ""}.`,
      `Memory ${bytes(embedded.memory_bytes)} of ${bytes(embedded.memory_max_bytes)}, disk ${bytes(embedded.disk_bytes)}.`,
      ...(dropped_samples > 0
        ? [`${number(dropped_samples)} samples went before their time, as embedded.memory is full.`]
        : []),
    ],
  };
}

function backfill({ backfill }: Status): Part {
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

function services({ services, series }: Status): Part {
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

/** Incidents are what Bellwether is for: they are no fault of it. */
function incidents({ incidents }: Status): Part {
  return {
    id: "incidents",
    name: "Incidents",
    tone: "normal",
    word: `${incidents.firing} firing`,
    facts: [`${counted(incidents.unresolved, "incident")} unresolved.`],
  };
}

function training({ training, models, series }: Status): Part {
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

function gaps({ gaps }: Status): Part {
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

function remarks({ remarks }: Status): Part | null {
  if (remarks.length === 0) return null;
  return {
    id: "remarks",
    name: "Remarks",
    tone: "warning",
    word: counted(remarks.length, "remark"),
    facts: remarks.map(sentence),
  };
}

/** With a capital and a full stop, as the server's fragments have none. */
export function sentence(text: string): string {
  const told = text.trim();
  const begun = /^[a-z][a-z]* /.test(told) ? told.charAt(0).toUpperCase() + told.slice(1) : told;
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}

/** How long an uptime was, for the versions. */
export function uptime(status: Status, now: number): string {
  return length(now - Date.parse(status.started_at));
}
