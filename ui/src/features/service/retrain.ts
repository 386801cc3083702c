/** Training on request, with its progress; also of a job that somebody else or the schedule began. */
import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { type Job, job as jobQuery, jobs, retrain } from "@/api/training.ts";
import { useToast } from "@/components/toasts.tsx";
import { counted } from "@/lib/amount.ts";
import { outcomeInWords } from "@/lib/words.ts";
import { useLive } from "@/live/live.tsx";
import { useOperator } from "@/operating/operator.tsx";
import { coveringJob } from "./build.ts";

/** Somebody waits for a job that was asked for here, so without a stream it is asked for this often. */
const WAITING_MS = 2_000;

export function isOver(job: Job): boolean {
  return job.state === "done" || job.state === "failed";
}

/** How a job stands, or what it came to. */
export function jobInWords(job: Job): string {
  switch (job.state) {
    case "waiting":
      return "waits for its turn";
    case "running":
      return `trains, ${job.done} of ${job.total} done`;
    case "failed":
      return `failed: ${job.error ?? "no reason is given"}`;
    case "done":
      return result(job);
  }
}

function result({ outcomes, total }: Job): string {
  const [only] = outcomes;
  if (outcomes.length === 1 && only) return `${outcomeInWords(only.outcome)}: ${only.detail}`;
  const counts = new Map<string, number>();
  for (const { outcome } of outcomes) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  if (counts.size === 0) return `done, ${counted(total, "model")}`;
  return [...counts].map(([outcome, count]) => `${count} ${outcomeInWords(outcome)}`).join(", ");
}

export interface Retraining {
  /** A job that waits or runs, or the finished one that was asked for here. */
  job: Job | null;
  isAsking: boolean;
  start(): void;
}

/** Of a metric, or of the whole service (null). */
export function useRetrain(service: string, metric: string | null): Retraining {
  const queries = useQueryClient();
  const toast = useToast();
  const operator = useOperator();
  const { connection } = useLive();
  const [id, setId] = useState<string | null>(null);
  const [isAsking, setAsking] = useState(false);
  const all = useInfiniteQuery(jobs());
  const own = useQuery({
    ...jobQuery(id ?? ""),
    enabled: id !== null,
    refetchInterval: ({ state }) =>
      connection === "open" || !state.data || isOver(state.data) ? false : WAITING_MS,
  });
  const mine = id === null ? null : (own.data ?? null);
  const isDone = mine !== null && isOver(mine);
  useEffect(() => {
    if (!isDone) return;
    for (const name of ["models", "datasets", "jobs", "findings"])
      void queries.invalidateQueries({ queryKey: [name] });
  }, [isDone, queries]);

  const start = async () => {
    if (!(await operator.named())) return;
    setAsking(true);
    try {
      const begun = await retrain({ service, metric: metric ?? undefined });
      queries.setQueryData(jobQuery(begun.id).queryKey, begun);
      setId(begun.id);
      // It may have moved on before anybody listened for it.
      void queries.invalidateQueries({ queryKey: jobQuery(begun.id).queryKey });
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      toast({ text: `${metric ?? service} is not trained: ${why}`, failed: true });
    } finally {
      setAsking(false);
    }
  };
  const running = coveringJob(all.data?.pages.flatMap(({ items }) => items) ?? [], service, metric);
  const job = mine && !isDone ? mine : (running ?? mine);
  return { job, isAsking, start: () => void start() };
}
