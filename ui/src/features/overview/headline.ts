/** The state of everything in a headline and a sentence or two. */
import type { CatalogueMetric, Finding, Service } from "@/api/services.ts";
import type { Status } from "@/api/status.ts";
import type { Tone } from "@/components/state.tsx";
import { counted } from "@/lib/amount.ts";
import { length } from "@/lib/time.ts";
import type { Onset } from "./onsets.ts";
import { expectedOf, inSentence, nowOf } from "./rows.ts";

/** A sentence is made of text, names that lead to a service, instants, and what leads to the incidents. */
export type Part = string | { service: string } | { at: number } | { incidents: string };

export interface Headline {
  tone: Tone;
  title: string;
  lead: Part[];
}

/** Incidents further apart than this are told as different troubles. */
const TOGETHER_MS = 30 * 60_000;
/** So many who followed are named. */
const NAMED = 3;

export function headlineOf(asked: {
  services: Service[];
  findings: Finding[];
  catalogue: CatalogueMetric[];
  onsets: Onset[];
  /** There are more unresolved incidents than are known here. */
  hasMore?: boolean;
  source: Status["source"] | undefined;
}): Headline {
  const { services, source } = asked;
  const count = (...states: Service["state"][]) =>
    services.filter(({ state }) => states.includes(state)).length;
  const total = services.length;
  const [bad, warned, silent] = [count("critical", "high", "gone"), count("early_warning"), count("no_data")];
  const firing = asked.onsets.filter(({ incident, to }) => incident !== null && to === null);
  const quiet = asked.onsets.filter(({ incident, to }) => incident !== null && to !== null).length;
  const rest: Part[] =
    quiet > 0
      ? [
          ...(asked.hasMore ? ["At least "] : []),
          { incidents: counted(quiet, "quiet incident") },
          " not resolved yet.",
        ]
      : [];

  if (source?.state === "down") {
    const since: Part[] = source.since ? [" since ", { at: Date.parse(source.since) }] : [];
    const before = bad > 0 ? ` Until then ${bad} of ${total} were in trouble.` : "";
    return {
      tone: "none",
      title: "Nothing new is known",
      lead: [`Metrics can't be read from ${source.url}`, ...since, `. What is shown is of before.${before}`],
    };
  }
  if (bad > 0) {
    return {
      tone: count("critical") > 0 ? "critical" : count("high") > 0 ? "high" : "gone",
      title: `${bad} of ${counted(total, "service")} in trouble`,
      lead: joined(movedFirst(firing, asked), rest),
    };
  }
  if (silent === total) {
    return {
      tone: "none",
      title: "Nothing is known yet",
      lead: [`None of ${counted(total, "service")} has data.`],
    };
  }
  const unknown: Part[] = silent > 0 ? [`Nothing is known of ${counted(silent, "service")}.`] : [];
  if (warned > 0) {
    return {
      tone: "warning",
      title: `No service in trouble, ${counted(warned, "early warning")}`,
      lead: joined(
        movedFirst(
          asked.onsets.filter(({ incident }) => incident === null),
          asked,
        ),
        unknown,
        rest,
      ),
    };
  }
  if (silent > 0) {
    return {
      tone: "none",
      title: `${total - silent} of ${counted(total, "service")} normal`,
      lead: joined(unknown, rest),
    };
  }
  return {
    tone: "normal",
    title: total === 1 ? "The service is normal" : `All ${counted(total, "service")} are normal`,
    lead: rest.length > 0 ? rest : ["Nothing is open."],
  };
}

/** Sentences with a blank between them. */
function joined(...sentences: Part[][]): Part[] {
  const told = sentences.filter((sentence) => sentence.length > 0);
  return told.flatMap((sentence, at) => (at > 0 ? [" ", ...sentence] : sentence));
}

type Known = { findings: Finding[]; catalogue: CatalogueMetric[] };

/** The newest trouble: who moved first, by how much, since when, and who followed. */
function movedFirst(onsets: Onset[], known: Known): Part[] {
  const firsts = onsets.filter(
    (onset, at) => onsets.findIndex(({ service }) => service === onset.service) === at,
  );
  let start = firsts.length - 1;
  while (start > 0 && gap(firsts, start) <= TOGETHER_MS) start -= 1;
  const [first, ...followers] = firsts.slice(Math.max(start, 0));
  if (!first) return [];
  const parts: Part[] = [
    { service: first.service },
    followers.length > 0 ? " moved first, at " : first.word === "Gone" ? " is gone since " : " moved at ",
    { at: first.from },
    ...howMuch(first, known),
    ".",
    ...followed(first, followers),
  ];
  const older = firsts.slice(0, Math.max(start, 0));
  const [oldest] = older;
  if (oldest) {
    const others: Part[] = older.length > 1 ? [` and ${older.length - 1} more`] : [];
    parts.push(
      " In trouble for longer: ",
      { service: oldest.service },
      " (since ",
      { at: oldest.from },
      ")",
      ...others,
      ".",
    );
  }
  return parts;
}

function gap(onsets: Onset[], at: number): number {
  return (onsets[at]?.from ?? 0) - (onsets[at - 1]?.from ?? 0);
}

function howMuch(onset: Onset, { findings, catalogue }: Known): Part[] {
  const finding = findings.find(({ service, id }) => service === onset.service && id === onset.metric);
  if (!finding || finding.value === null) return [];
  const expected = expectedOf(
    finding,
    catalogue.find(({ id }) => id === finding.id),
  );
  return [`: ${inSentence(finding.title)} ${nowOf(finding)}${expected ? `, expected ${expected}` : ""}`];
}

function followed(first: Onset, followers: Onset[]): Part[] {
  if (followers.length === 0) return [];
  const named = followers.slice(0, NAMED);
  const more = followers.length - named.length;
  const parts: Part[] = [" "];
  named.forEach((follower, at) => {
    const isLast = at === named.length - 1 && more === 0;
    if (at > 0) parts.push(isLast ? " and " : ", ");
    parts.push(
      { service: follower.service },
      at === 0 ? " followed after " : " after ",
      length(Math.max(follower.from - first.from, 1000)),
    );
  });
  if (more > 0) parts.push(` and ${more} more`);
  parts.push(".");
  const [next] = followers;
  // Samples are seconds apart; what lies closer can't be told apart.
  if (next && next.earliest <= first.latest)
    parts.push(" Their samples are too far apart to be sure who was first.");
  return parts;
}
