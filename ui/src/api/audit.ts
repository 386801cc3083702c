/** What people asked to change, by whom, and what came of it. */
import { infiniteQueryOptions } from "@tanstack/react-query";
import { ask, client, type Schemas } from "./client.ts";

export type AuditEntry = Schemas["AuditView"];

/** Newest first. */
export const audit = (limit = 50) =>
  infiniteQueryOptions({
    queryKey: ["audit", limit],
    queryFn: ({ pageParam, signal }) =>
      ask(client.GET("/api/v1/audit", { params: { query: { limit, cursor: pageParam } }, signal })),
    initialPageParam: undefined as number | undefined,
    getNextPageParam: (page) => (page.next_cursor ? Number(page.next_cursor) : undefined),
  });
