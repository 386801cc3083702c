/** The lines of the last hour: of all series for a table, of the troubled services for a grid. */

import { useQueries, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { type Service, type Sparkline, sparklines } from "@/api/services.ts";
import { isCalm, isTold } from "./groups.ts";
import { type Sparks, sparkKey } from "./rows.ts";
import { useStable } from "./stable.ts";

export function useShapes(services: Service[], isTable: boolean): Sparks {
  const all = useQuery({ ...sparklines(), enabled: isTable });
  const troubled = services.filter(({ state }) => !isCalm(state)).map(({ id }) => id);
  const asked = !isTable && isTold(troubled.length) ? troubled : [];
  const few = useQueries({
    queries: asked.map((service) => sparklines({ service })),
    combine: (answers) => answers.flatMap(({ data }) => data?.items ?? []),
  });
  const items = useStable(isTable ? (all.data?.items ?? NONE) : few);
  return useMemo(() => sparksOf(items), [items]);
}

const NONE: never[] = [];

function sparksOf(items: Sparkline[]): Sparks {
  return new Map(items.map(({ service, metric, values }) => [sparkKey(service, metric), values]));
}
