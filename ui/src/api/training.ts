/** Models, the jobs that train them, and the rows they are trained on. */
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { ask, client, root, type Schemas } from "./client.ts";

export type Model = Schemas["ModelView"];
export type Job = Schemas["Job"];
export type Dataset = Schemas["DatasetView"];
export type DatasetRow = Schemas["DatasetRow"];

/** Every model; pages are put together. */
export const models = (service?: string) =>
  queryOptions({
    queryKey: ["models", service ?? null],
    queryFn: async ({ signal }) => {
      const items: Model[] = [];
      let cursor: string | undefined;
      do {
        const page: Schemas["Models"] = await ask(
          client.GET("/api/v1/models", { params: { query: { service, limit: 200, cursor } }, signal }),
        );
        items.push(...page.items);
        cursor = page.next_cursor ?? undefined;
      } while (cursor);
      return items;
    },
  });

export const datasets = (service?: string) =>
  queryOptions({
    queryKey: ["datasets", service ?? null],
    queryFn: async ({ signal }) => {
      const items: Dataset[] = [];
      let cursor: string | undefined;
      do {
        const page: Schemas["DatasetList"] = await ask(
          client.GET("/api/v1/datasets", { params: { query: { service, limit: 100, cursor } }, signal }),
        );
        items.push(...page.items);
        cursor = page.next_cursor ?? undefined;
      } while (cursor);
      return items;
    },
  });

/** Rows of a series since an instant, oldest first; at most so many pages of 5,000. */
export const datasetRows = (asked: { service: string; metric: string; from: string }, pages: number) =>
  queryOptions({
    queryKey: ["rows", asked, pages],
    queryFn: async ({ signal }) => {
      const items: DatasetRow[] = [];
      let cursor: string | undefined;
      for (let page = 0; page < pages; page += 1) {
        const answer: Schemas["DatasetRows"] = await ask(
          client.GET("/api/v1/datasets/rows", {
            params: { query: { ...asked, limit: 5000, cursor } },
            signal,
          }),
        );
        items.push(...answer.items);
        cursor = answer.next_cursor ?? undefined;
        if (!cursor) break;
      }
      return items;
    },
    staleTime: 60_000,
  });

export const jobs = (limit = 20) =>
  infiniteQueryOptions({
    queryKey: ["jobs", limit],
    queryFn: ({ pageParam, signal }) =>
      ask(client.GET("/api/v1/jobs", { params: { query: { limit, cursor: pageParam } }, signal })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    meta: { live: true },
  });

export const job = (id: string) =>
  queryOptions({
    queryKey: ["job", id],
    queryFn: ({ signal }) => ask(client.GET("/api/v1/jobs/{id}", { params: { path: { id } }, signal })),
  });

/** Trains all series, or those of a service, or one; the job goes on after the answer. */
export function retrain(selection: { service?: string; metric?: string }): Promise<Job> {
  return ask(client.POST("/retrain", { params: { query: selection } }));
}

/** Where a dataset is downloaded as CSV. */
export function datasetAddress(service: string, metric: string, part: "history" | "anomaly"): string {
  return `${root}/api/v1/datasets/download?${new URLSearchParams({ service, metric, part })}`;
}
