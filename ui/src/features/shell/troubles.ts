/** What an operator must know on every page: why nobody is paged, why nothing new is known. */
import type { Mute, Status } from "@/api/status.ts";
import type { Tone } from "@/components/state.tsx";
import { local } from "@/lib/time.ts";

/** What of the status is looked at. */
export type Watched = Pick<Status, "paging" | "source" | "not_ready_because" | "configuration">;

export interface Trouble {
  id: "storing" | "source" | "paging" | "configuration";
  tone: Tone;
  /** Where several share a line. */
  title: string;
  text: string;
}

const LONGEST = 240;

/** The worst first; empty when all is well. `shadow` is the mute of everything, where it is known. */
export function troublesOf(status: Watched, shadow: Mute | null, now: number): Trouble[] {
  const all = [storing(status), source(status, now), paging(status, shadow, now), configuration(status)];
  const found = all.filter((trouble) => trouble !== null);
  return found.sort((a, b) => weight(a) - weight(b));
}

function weight(trouble: Trouble): number {
  return ["critical", "high", "warning"].indexOf(trouble.tone);
}

/** Reasons of its own for not being ready, beside those of the source. */
function storing({ not_ready_because: reasons, source }: Watched): Trouble | null {
  const ofSource = /^(Prometheus at |the newest evaluation )/;
  const others = reasons.filter((reason) => !ofSource.test(reason) || source.state === "healthy");
  if (others.length === 0) return null;
  return {
    id: "storing",
    tone: "critical",
    title: "Not ready",
    text: `Not ready: ${short(others.join("; "))}`,
  };
}

function source({ source }: Watched, now: number): Trouble | null {
  if (source.state !== "down" && source.state !== "partial") return null;
  const since = source.since ? ` since ${local(source.since, now)}` : "";
  const why = source.why ? `: ${short(source.why)}` : "";
  return source.state === "down"
    ? {
        id: "source",
        tone: "critical",
        title: "Metrics can't be read",
        text: `Metrics can't be read from ${source.url}${since}, nothing new is known${why}`,
      }
    : {
        id: "source",
        tone: "high",
        title: "Some metrics can't be read",
        text: `Some metrics can't be read from ${source.url}${since}${why}`,
      };
}

function paging({ paging }: Watched, shadow: Mute | null, now: number): Trouble | null {
  const because = paging.because
    .filter((reason) => !reason.startsWith("muted: "))
    .map((reason) => (shadow && reason.startsWith("shadow mode is on") ? inWords(shadow, now) : reason));
  const why = because.length > 0 ? `: ${short(because.join("; "))}` : "";
  switch (paging.state) {
    case "on":
      return null;
    case "off":
      return { id: "paging", tone: "high", title: "Paging is off", text: `Paging is off${why}` };
    case "failing":
      return { id: "paging", tone: "critical", title: "Paging fails", text: `Paging fails${why}` };
    case "unknown":
      return {
        id: "paging",
        tone: "high",
        title: "Paging is unknown",
        text: `Whether people are paged is not known${why}`,
      };
  }
}

function inWords(shadow: Mute, now: number): string {
  const until = shadow.until ? `until ${local(shadow.until, now)}` : "until it is ended";
  return `shadow mode is on, set by ${shadow.by}, ${until}${shadow.note ? ` (${shadow.note})` : ""}`;
}

function configuration({ configuration }: Watched): Trouble | null {
  if (!configuration.refused) return null;
  return {
    id: "configuration",
    tone: "warning",
    title: "Configuration refused",
    text: `The newest configuration was refused, the one before is in force: ${short(configuration.refused)}`,
  };
}

function short(text: string): string {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return line.length > LONGEST ? `${line.slice(0, LONGEST)} …` : line;
}
