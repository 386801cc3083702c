/** Log lines, and patterns of them that moved. */
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { ask, client, type Schemas } from "./client.ts";

export type LogLine = Schemas["LogLine"];
export type LogPatterns = Schemas["LogPatterns"];

export interface LogQuestion {
  service: string;
  from: string;
  to: string;
  level?: "trace" | "debug" | "info" | "warn" | "error";
  text?: string;
  order?: "oldest" | "newest";
}

export const logLines = (asked: LogQuestion, limit = 1000) =>
  infiniteQueryOptions({
    queryKey: ["logs", asked, limit],
    queryFn: ({ pageParam, signal }) =>
      ask(client.GET("/api/v1/logs", { params: { query: { ...asked, limit, cursor: pageParam } }, signal })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    // Both ends are fixed: what was read of a file is not read again.
    staleTime: Number.POSITIVE_INFINITY,
  });

export const logPatterns = (asked: { service: string; from: string; to: string; baseline?: string }) =>
  queryOptions({
    queryKey: ["patterns", asked],
    queryFn: ({ signal }) => ask(client.GET("/api/v1/logs/patterns", { params: { query: asked }, signal })),
  });

/** The lines around an instant, errors first; `before` and `after` are lengths such as "4s". */
export const logContext = (asked: { service: string; event_ts: string; before: string; after: string }) =>
  queryOptions({
    queryKey: ["log context", asked],
    queryFn: ({ signal }) =>
      ask(client.GET("/logs", { params: { query: { ...asked, limit: 200 } }, signal })),
  });
