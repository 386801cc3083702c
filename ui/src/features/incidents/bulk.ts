/** Doing the same to many incidents, and what came of each. */
import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import type { Schemas } from "@/api/client.ts";
import { act, actOnMany, type Incident } from "@/api/incidents.ts";
import { useToast } from "@/components/toasts.tsx";
import { counted } from "@/lib/amount.ts";
import { useOperator } from "@/operating/operator.tsx";
import { undoing } from "@/operating/outcome.ts";

export type BulkAction = Schemas["BulkAction"];

export interface Outcome {
  done: number[];
  failed: { id: number; why: string }[];
}

/** The server takes so many at once. */
const AT_ONCE = 200;

export function chunks<T>(all: readonly T[], size = AT_ONCE): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, at) =>
    all.slice(at * size, (at + 1) * size),
  );
}

export function outcomeOf(items: Schemas["BulkOutcome"][]): Outcome {
  return {
    done: items.filter(({ problem }) => problem === null).map(({ id }) => id),
    failed: items.flatMap(({ id, problem }) =>
      problem ? [{ id, why: problem.detail || problem.title }] : [],
    ),
  };
}

const PAST: Record<BulkAction, string> = { ack: "Acknowledged", resolve: "Resolved" };

/** Runs it; those that were refused are told of, each with why. */
export function useBulk(): {
  run(incidents: Incident[], action: BulkAction, note?: string): Promise<Outcome | null>;
  isRunning: boolean;
  failed: Outcome["failed"];
  forget(): void;
} {
  const queries = useQueryClient();
  const toast = useToast();
  const operator = useOperator();
  const [isRunning, setRunning] = useState(false);
  const [failed, setFailed] = useState<Outcome["failed"]>([]);

  const renew = () => {
    void queries.invalidateQueries({ queryKey: ["incidents"] });
    void queries.invalidateQueries({ queryKey: ["incident"] });
  };
  const undo = async (incidents: Incident[]) => {
    let back = 0;
    for (const some of chunks(incidents, 5)) {
      const answers = await Promise.allSettled(
        some.map(async (incident) => {
          for (const step of undoing(incident, { do: "resolve" }) ?? []) await act(incident.id, step);
        }),
      );
      back += answers.filter(({ status }) => status === "fulfilled").length;
    }
    const isAll = back === incidents.length;
    toast({
      text: isAll
        ? `Reopened ${counted(back, "incident")}`
        : `Reopened ${back} of ${counted(incidents.length, "incident")}`,
      failed: !isAll,
    });
    renew();
  };
  const run = async (incidents: Incident[], action: BulkAction, note?: string): Promise<Outcome | null> => {
    if (!(await operator.named())) return null;
    setRunning(true);
    const outcome: Outcome = { done: [], failed: [] };
    for (const some of chunks(incidents)) {
      const ids = some.map(({ id }) => id);
      try {
        const one = outcomeOf((await actOnMany(ids, action, note)).items);
        outcome.done.push(...one.done);
        outcome.failed.push(...one.failed);
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        outcome.failed.push(...ids.map((id) => ({ id, why })));
      }
    }
    setRunning(false);
    setFailed(outcome.failed);
    renew();
    const done = incidents.filter(({ id, status }) => outcome.done.includes(id) && status !== "RESOLVED");
    if (outcome.done.length > 0) {
      toast({
        text: `${PAST[action]} ${counted(outcome.done.length, "incident")}`,
        undo: action === "resolve" && done.length > 0 ? () => void undo(done) : undefined,
      });
    }
    return outcome;
  };
  return { run, isRunning, failed, forget: () => setFailed([]) };
}
