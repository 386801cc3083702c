/** Patterns of log lines in words. */
import type { Schemas } from "@/api/client.ts";
import { counted, number } from "@/lib/amount.ts";

export type Pattern = Schemas["LogPattern"];

/** What stands before the pattern: NEW, "12 ×", gone. */
export function badge(pattern: Pattern): string {
  if (pattern.change === "new") return "NEW";
  if (pattern.change === "gone" || pattern.change === "steady") return pattern.change;
  if (pattern.rate_before === 0) return pattern.change;
  return `${number(pattern.rate_during / pattern.rate_before)}\u202f×`;
}

const PER: Record<Pattern["per"], string> = { minute: "per minute", trace: "per trace", call: "per call" };

/** "0.43 per trace now, none before". */
export function rates(pattern: Pattern): string {
  const rate = (value: number) => (value === 0 ? "none" : `${number(value)} ${PER[pattern.per]}`);
  return `${rate(pattern.rate_during)} now, ${rate(pattern.rate_before)} before`;
}

/** Within which calls lines were counted. */
export function callInWords(call: Schemas["LogCall"]): string {
  return `Counted within calls that begin with “${call.begins_with}”: ${counted(call.calls_during, "call")} now, ${number(call.calls_before)} before.`;
}

const MEANS: Record<string, string> = {
  class: "the same class of exception",
  "trace id": "the same trace ids",
  "time and class": "the same times and class of exception",
};

/** Under which other name the same failure is told. */
export function alsoInWords(also: Schemas["LogAlso"]): string {
  const by = also.by.replace(/^(\w+)\{(\w+)\}$/, "label $2 of $1");
  return `Also told as ${also.name} by ${by}, known by ${MEANS[also.by_means_of] ?? also.by_means_of}.`;
}

export interface TemplatePart {
  start: number;
  text: string;
  /** Where the lines differ. */
  varies: boolean;
}

export function templateParts(template: string): TemplatePart[] {
  const parts: TemplatePart[] = [];
  let start = 0;
  for (const text of template.split(/(<\*>)/)) {
    if (text) parts.push({ start, text, varies: text === "<*>" });
    start += text.length;
  }
  return parts;
}

/** What moved, and what didn't. */
export function divided(items: Pattern[]): { moved: Pattern[]; steady: Pattern[] } {
  return {
    moved: items.filter(({ change }) => change !== "steady"),
    steady: items.filter(({ change }) => change === "steady"),
  };
}

type Outcome = Schemas["PatternsOutcome"];

/** Where there are no patterns: what that means, and what to do. */
export function absence(outcome: Outcome): { title: string; advice: string | null } | null {
  switch (outcome) {
    case "found":
      return null;
    case "none_in_window":
      return {
        title: "The service logged nothing around the opening",
        advice:
          "If it usually logs, its lines may have another time zone (logs[].zone) or another name of the service (logs[].fields.service).",
      };
    case "not_configured":
      return {
        title: "No log of this service is configured",
        advice:
          "Set logs[].path in the configuration, with {service} where each service has a file of its own.",
      };
    case "unreadable":
      return {
        title: "The log could not be read",
        advice: "Make the file readable for the user that Bellwether runs as, or put logs[].path right.",
      };
    case "not_read_yet":
      return {
        title: "The log has not been read yet",
        advice: "It is read within seconds of the opening, and once more a minute later.",
      };
  }
}
