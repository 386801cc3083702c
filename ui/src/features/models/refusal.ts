/** Why one may not train; null where one may. */
import { useOperator } from "@/operating/operator.tsx";

export function useTrainingRefusal(): string | null {
  const { mayChange } = useOperator();
  return mayChange ? null : "Viewers can't train: it takes the role operator.";
}
