/** What was decided of a series, also where nothing opened. */
import { queryOptions } from "@tanstack/react-query";
import { ask, client, type Schemas } from "./client.ts";

export type Decision = Schemas["Decision"];

/** What holds now; null where nothing is kept. */
export const decisionNow = (service: string, metric: string) =>
  queryOptions({
    queryKey: ["decision", service, metric],
    queryFn: ({ signal }) =>
      ask(
        client.GET("/api/v1/decisions", {
          params: { query: { service, metric, at: (Date.now() / 1000).toFixed(3) } },
          signal,
        }),
      ).then((answer) => ("decision" in answer ? answer.decision : null)),
  });

/** What held at an instant, with the sentences that say why and the row of the sample. */
export const decisionAt = (asked: { service: string; metric: string; at: string }) =>
  queryOptions({
    queryKey: ["decision", asked],
    queryFn: ({ signal }) =>
      ask(client.GET("/api/v1/decisions", { params: { query: asked }, signal })).then((answer) =>
        "answer" in answer ? answer : null,
      ),
  });
