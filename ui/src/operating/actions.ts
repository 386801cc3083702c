/** Doing something to an incident: shown at once, taken back with the reason where it is refused. */
import { type InfiniteData, useMutation, useQueryClient } from "@tanstack/react-query";
import { type Action, act, type Incident } from "@/api/incidents.ts";
import type { Schemas } from "@/api/client.ts";
import { useToast } from "@/components/toasts.tsx";
import { useOperator } from "./operator.tsx";

/** How an incident will look, as far as that is known before the answer. */
export function expected(incident: Incident, action: Action, by: string): Incident {
  switch (action.do) {
    case "ack":
      return { ...incident, status: "ACKNOWLEDGED", owner: incident.owner ?? by };
    case "assign":
      return { ...incident, owner: action.owner };
    case "resolve":
      return { ...incident, status: "RESOLVED" };
    case "reopen":
      return { ...incident, status: "OPEN", resolution: null };
    default:
      return incident;
  }
}

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
    queries.setQueryData<One>(["incident", incident.id], (one) => (one ? { ...one, incident } : one));
    queries.setQueriesData<Pages | Incident[]>({ queryKey: ["incidents"] }, (data) => replaced(data, incident));
  };
  const mutation = useMutation({
    mutationFn: ({ incident, action }: { incident: Incident; action: Action; by: string }) => act(incident.id, action),
    onMutate: ({ incident, action, by }) => show(expected(incident, action, by)),
    onSuccess: (incident) => show(incident),
    onError: (_, { incident }) => show(incident),
    onSettled: (_, __, { incident }) => {
      void queries.invalidateQueries({ queryKey: ["incident", incident.id] });
      void queries.invalidateQueries({ queryKey: ["incidents"] });
    },
  });
  const run = async (incident: Incident, action: Action): Promise<boolean> => {
    const by = await operator.named();
    if (!by) return false;
    try {
      await mutation.mutateAsync({ incident, action, by });
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      toast({ text: `#${incident.id} stays as it was: ${why}`, failed: true });
      return false;
    }
    const undo =
      action.do === "resolve" ? () => void run({ ...incident, status: "RESOLVED" }, { do: "reopen", note: "resolved by mistake" }) : undefined;
    toast({ text: `${DONE[action.do]}: #${incident.id} ${incident.service}`, undo });
    return true;
  };
  return { run, isRunning: mutation.isPending };
}

/** An incident in a list or in pages of one, replaced by what it is now. */
function replaced(data: Pages | Incident[] | undefined, incident: Incident): Pages | Incident[] | undefined {
  const swap = (items: Incident[]) => items.map((one) => (one.id === incident.id ? incident : one));
  if (!data) return data;
  if (Array.isArray(data)) return swap(data);
  return { ...data, pages: data.pages.map((page) => ({ ...page, items: swap(page.items) })) };
}
