/** Doing something to an incident: shown at once, taken back with the reason where it is refused. */
import { type InfiniteData, useMutation, useQueryClient } from "@tanstack/react-query";
import { Problem, type Schemas } from "@/api/client.ts";
import { type Action, act, type Incident } from "@/api/incidents.ts";
import { useToast } from "@/components/toasts.tsx";
import { useOperator } from "./operator.tsx";
import { expected, refusal, undoing } from "./outcome.ts";

const DONE: Record<Action["do"], string> = {
  ack: "Acknowledged",
  assign: "Assigned",
  comment: "Comment added",
  snooze: "Snoozed",
  resolve: "Resolved",
  reopen: "Reopened",
  severity: "Severity set",
};

type Pages = InfiniteData<Schemas["IncidentPage"]>;
type One = { incident: Incident; tag: string | null };

/** Runs an action on an incident; resolves to whether it was done. */
export function useIncidentAction(): {
  run(incident: Incident, action: Action): Promise<boolean>;
  isRunning: boolean;
} {
  const queries = useQueryClient();
  const toast = useToast();
  const operator = useOperator();

  const show = (incident: Incident) => {
    queries.setQueryData<One>(["incident", incident.id], (one) =>
      // What a list knows of it has no explanation: that stays.
      one ? { ...one, incident: { ...one.incident, ...incident } } : one,
    );
    queries.setQueriesData<Pages | Incident[]>({ queryKey: ["incidents"] }, (data) =>
      replaced(data, incident),
    );
  };
  const mutation = useMutation({
    mutationFn: ({ incident, action }: { incident: Incident; action: Action; by: string }) =>
      act(incident.id, action),
    onMutate: async ({ incident, action, by }) => {
      // An answer under way is from before the action: it would show the old state once more.
      await queries.cancelQueries({ queryKey: ["incident", incident.id] });
      show(expected(incident, action, by, Date.now()));
    },
    onSuccess: (incident) => show(incident),
    onError: (_, { incident }) => show(incident),
    onSettled: (_, __, { incident }) => {
      void queries.invalidateQueries({ queryKey: ["incident", incident.id] });
      void queries.invalidateQueries({ queryKey: ["incidents"] });
      void queries.invalidateQueries({ queryKey: ["notices"] });
    },
  });
  const run = async (incident: Incident, action: Action): Promise<boolean> => {
    const by = await operator.named();
    if (!by) return false;
    try {
      await mutation.mutateAsync({ incident, action, by });
    } catch (error) {
      const status = error instanceof Problem ? error.status : null;
      toast({
        text: refusal(incident, status, error instanceof Error ? error.message : String(error)),
        failed: true,
      });
      return false;
    }
    const back = undoing(incident, action);
    const undo = back
      ? async () => {
          let now = incident;
          for (const step of back) {
            if (!(await run(now, step))) return;
            now = expected(now, step, by, Date.now());
          }
        }
      : undefined;
    toast({
      text: `${DONE[action.do]}: #${incident.id} ${incident.service}`,
      undo: undo && (() => void undo()),
    });
    return true;
  };
  return { run, isRunning: mutation.isPending };
}

/** An incident in a list or in pages of one, replaced by what it is now. */
function replaced(data: Pages | Incident[] | undefined, incident: Incident): Pages | Incident[] | undefined {
  const swap = (items: Incident[]) => items.map((one) => (one.id === incident.id ? incident : one));
  if (!data) return data;
  if (Array.isArray(data)) return swap(data);
  if (!("pages" in data)) return data;
  return { ...data, pages: data.pages.map((page) => ({ ...page, items: swap(page.items) })) };
}
