/** Training jobs in words. */
import type { Job } from "@/api/training.ts";
import type { Tone } from "@/components/state.tsx";
import { counted } from "@/lib/amount.ts";
import { length } from "@/lib/time.ts";
import { OUTCOMES } from "./rows.ts";

const TRIGGERS: Record<Job["trigger"], string> = {
  start: "at the start",
  backfill: "after the backfill",
  schedule: "as scheduled",
  request: "by request",
  command_line: "from the command line",
};

export function triggerInWords(job: Job): string {
  return TRIGGERS[job.trigger];
}

/** "all series", "payments", "payments, lat". */
export function selectionInWords({ selection }: Job): string {
  return [selection.service, selection.metric].filter(Boolean).join(", ") || "all series";
}

export function isUnderWay(job: Job): boolean {
  return job.state === "waiting" || job.state === "running";
}

export function stateOf(job: Job): { tone: Tone; word: string } {
  const failed = job.outcomes.filter(({ outcome }) => outcome === "failed").length;
  switch (job.state) {
    case "waiting":
      return { tone: "none", word: "Waiting" };
    case "running":
      return { tone: "none", word: "Running" };
    case "failed":
      return { tone: "critical", word: "Failed" };
    case "done":
      return failed > 0 ? { tone: "high", word: `Done, ${failed} failed` } : { tone: "normal", word: "Done" };
  }
}

/** How long it ran; null before it began. */
export function took(job: Job, now: number): string | null {
  if (!job.started_at) return null;
  const milliseconds = (job.finished_at ? Date.parse(job.finished_at) : now) - Date.parse(job.started_at);
  return milliseconds < 1000 ? `${Math.max(0, milliseconds)}\u202fms` : length(milliseconds);
}

const ORDER: Job["outcomes"][number]["outcome"][] = ["failed", "not_enough_samples", "kept_old", "trained"];

/** "13 series: 12 trained, 1 not enough samples". */
export function outcomesInWords({ outcomes }: Job): string {
  if (outcomes.length === 0) return "no series";
  const counts = ORDER.toReversed()
    .map((outcome) => [outcomes.filter((one) => one.outcome === outcome).length, OUTCOMES[outcome]] as const)
    .filter(([count]) => count > 0)
    .map(([count, words]) => `${count} ${words}`);
  return `${counted(outcomes.length, "series", "series")}: ${counts.join(", ")}`;
}

/** The outcomes, failures first. */
export function worstFirst({ outcomes }: Job): Job["outcomes"] {
  return outcomes.toSorted((one, other) => ORDER.indexOf(one.outcome) - ORDER.indexOf(other.outcome));
}
