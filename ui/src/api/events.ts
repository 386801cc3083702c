/** Changes that people and pipelines posted: deployments, flags, migrations. */
import { queryOptions } from "@tanstack/react-query";
import { ask, client } from "./client.ts";

export const events = (asked: { service?: string; from: string; to: string }) =>
  queryOptions({
    queryKey: ["events", asked],
    queryFn: ({ signal }) =>
      ask(client.GET("/api/v1/events", { params: { query: { ...asked, limit: 500 } }, signal })).then(
        (page) => page.items,
      ),
    meta: { live: true },
  });
