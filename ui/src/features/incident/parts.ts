/** Which part carries it: what is said first, and what comes after. */
import type { Schemas } from "@/api/client.ts";

export type Breakdown = Schemas["Breakdown"];

const RANK: Record<Breakdown["outcome"], number> = { carried: 0, spread: 1, one_value: 2, not_enough: 3 };

/** Those that a part carries first. */
export function ranked(breakdowns: Breakdown[]): Breakdown[] {
  return breakdowns.toSorted((a, b) => RANK[a.outcome] - RANK[b.outcome]);
}

const OUTCOME: Record<Breakdown["outcome"], string> = {
  carried: "one carries it",
  spread: "no single one carries it",
  one_value: "has one value only",
  not_enough: "not enough to say",
};

/** "server requests by uri: no single one carries it". */
export function heading(breakdown: Breakdown): string {
  const only = breakdown.outcome === "one_value" ? breakdown.parts[0]?.value : undefined;
  const outcome = only === undefined ? OUTCOME[breakdown.outcome] : `all of it is ${only}`;
  return `${breakdown.of} by ${breakdown.label}: ${outcome}`;
}
