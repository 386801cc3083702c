/** The parts that tell and keep: readiness, paging, configuration, storage, the embedded store. */
import type { Status } from "@/api/status.ts";
import type { Tone } from "@/components/state.tsx";
import { bytes, counted, number } from "@/lib/amount.ts";
import { type Part, sentence } from "./part.ts";

export function readiness({ ready, not_ready_because, started_at }: Status): Part {
  const base = { id: "readiness", name: "Readiness" };
  return ready
    ? { ...base, tone: "normal", word: "Ready", facts: [`Started ${started_at}.`] }
    : { ...base, tone: "critical", word: "Not ready", facts: not_ready_because.map(sentence) };
}

const PAGING: Record<Status["paging"]["state"], [Tone, string]> = {
  on: ["normal", "On"],
  off: ["high", "Off"],
  failing: ["critical", "Failing"],
  unknown: ["high", "Not known"],
};

export function paging({ paging }: Status): Part {
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

export function configuration({ configuration }: Status): Part {
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
      ...(refused
        ? [`The newest was refused, the one before is in force: ${refused.trim().replace(/\.$/, "")}.`]
        : []),
      `From ${source}, loaded ${loaded_at}.`,
      ...(needs_restart.length > 0 ? [`Waiting for a restart: ${needs_restart.join(", ")}.`] : []),
      ...(warnings.length > 0 ? [`${counted(warnings.length, "warning")}.`] : []),
    ],
  };
}

export function storage({ storage }: Status): Part {
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

export function embedded({ embedded }: Status): Part | null {
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

export function remarks({ remarks }: Status): Part | null {
  if (remarks.length === 0) return null;
  return {
    id: "remarks",
    name: "Remarks",
    tone: "warning",
    word: counted(remarks.length, "remark"),
    facts: remarks.map(sentence),
  };
}
