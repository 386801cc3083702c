/** Asks the server to change something, says what came of it, and asks anew for what it concerns. */
import { type QueryKey, useMutation, useQueryClient } from "@tanstack/react-query";
import { useToast } from "@/components/toasts.tsx";
import { useOperator } from "@/operating/operator.tsx";

interface Change<A, T> {
  ask: (asked: A) => Promise<T>;
  /** What is said when it is done. */
  done: (answer: T) => string;
  concerns: QueryKey[];
}

/** Runs a change in a person's name; resolves to whether it was done. */
export function useChange<A, T>({
  ask,
  done,
  concerns,
}: Change<A, T>): { run(asked: A): Promise<boolean>; isRunning: boolean } {
  const queries = useQueryClient();
  const toast = useToast();
  const operator = useOperator();
  const mutation = useMutation({
    mutationFn: ask,
    onSettled: () => Promise.all(concerns.map((queryKey) => queries.invalidateQueries({ queryKey }))),
  });
  const run = async (asked: A): Promise<boolean> => {
    if (!(await operator.named())) return false;
    try {
      toast({ text: done(await mutation.mutateAsync(asked)) });
      return true;
    } catch (error) {
      toast({
        text: `Nothing was changed: ${error instanceof Error ? error.message : String(error)}`,
        failed: true,
      });
      return false;
    }
  };
  return { run, isRunning: mutation.isPending };
}
