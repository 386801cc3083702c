/** Incidents, and what operators do about them. */
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { answered, ask, client, type Schemas } from "./client.ts";
import type { paths } from "./schema.d.ts";

export type Incident = Schemas["Incident"];
export type IncidentSort = NonNullable<
  NonNullable<paths["/api/v1/incidents"]["get"]["parameters"]["query"]>["sort"]
>;
export type IncidentStatus = Schemas["IncidentStatus"];
export type LogPattern = Schemas["LogPattern"];
export type TimelineEntry = Schemas["TimelineEntry"];

/** As `GET /api/v1/incidents` takes them. */
export interface IncidentFilter {
  service?: string;
  metric?: string;
  status?: IncidentStatus[];
  severity?: ("High" | "Critical")[];
  kind?: "metrics" | "availability";
  firing?: boolean;
  snoozed?: boolean;
  owner?: string;
  from?: string;
  to?: string;
  text?: string;
  sort?: IncidentSort;
}

/** Who reads on wants many: the pages after the first. */
const LATER = 1_000;

export const incidents = (filter: IncidentFilter, limit = 100) =>
  infiniteQueryOptions({
    queryKey: ["incidents", filter, limit],
    queryFn: ({ pageParam, signal }) =>
      ask(
        client.GET("/api/v1/incidents", {
          params: { query: { ...filter, limit: pageParam ? LATER : limit, cursor: pageParam } },
          signal,
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    meta: { live: true },
  });

/** So many unresolved incidents an overview can tell of. */
export const UNRESOLVED_MOST = 1_000;

/** What isn't resolved, the newest first: what the overview shows. */
export const unresolved = () =>
  queryOptions({
    queryKey: ["incidents", "unresolved"],
    queryFn: ({ signal }) =>
      ask(
        client.GET("/api/v1/incidents", {
          params: { query: { status: ["OPEN", "ACKNOWLEDGED"], sort: "-opened", limit: UNRESOLVED_MOST } },
          signal,
        }),
      ).then((page) => page.items),
    meta: { live: true },
  });

/** The one that was resolved last, of those that were seen last. */
export const lastResolved = () =>
  queryOptions({
    queryKey: ["incidents", "last resolved"],
    queryFn: ({ signal }) =>
      ask(
        client.GET("/api/v1/incidents", {
          params: { query: { status: ["RESOLVED"], sort: "-last_seen", limit: 20 } },
          signal,
        }),
      ).then(({ items }) => {
        const at = (one: Incident) => Date.parse(one.resolution?.at ?? one.last_seen_ts);
        return items.toSorted((a, b) => at(b) - at(a))[0] ?? null;
      }),
    meta: { live: true },
  });

/** One incident with the ETag that changes are checked against. */
export const incident = (id: number) =>
  queryOptions({
    queryKey: ["incident", id],
    queryFn: async ({ signal }) => {
      const { data, tag } = await answered(
        client.GET("/api/v1/incidents/{id}", { params: { path: { id } }, signal }),
      );
      return { incident: data, tag };
    },
    meta: { live: true },
  });

/** What can be done to an incident. */
export type Action =
  | { do: "ack"; note?: string }
  | { do: "assign"; owner: string | null; note?: string }
  | { do: "comment"; note: string }
  /** For a length, until an instant, until it changes ("change"), or not any more (null). */
  | { do: "snooze"; for: string; note?: string }
  | { do: "snooze"; until: string | null; note?: string }
  | { do: "resolve"; note?: string; decommissioned?: boolean }
  | { do: "reopen"; note?: string }
  | { do: "severity"; severity: "High" | "Critical" | null; note?: string };

/** Does it, and gives the incident as it is after. */
export function act(id: number, action: Action): Promise<Incident> {
  const params = { path: { id } };
  switch (action.do) {
    case "ack":
      return ask(client.POST("/api/v1/incidents/{id}/ack", { params, body: { note: action.note } }));
    case "assign":
      return ask(
        client.POST("/api/v1/incidents/{id}/assign", {
          params,
          body: { owner: action.owner, note: action.note },
        }),
      );
    case "comment":
      return ask(client.POST("/api/v1/incidents/{id}/comment", { params, body: { note: action.note } }));
    case "snooze":
      return ask(
        client.POST("/api/v1/incidents/{id}/snooze", {
          params,
          body:
            "for" in action
              ? { for: action.for, note: action.note }
              : { until: action.until, note: action.note },
        }),
      );
    case "resolve":
      return ask(
        client.POST("/api/v1/incidents/{id}/resolve", {
          params,
          body: { note: action.note, decommissioned: action.decommissioned ?? false },
        }),
      );
    case "reopen":
      return ask(client.POST("/api/v1/incidents/{id}/reopen", { params, body: { note: action.note } }));
    case "severity":
      return ask(
        client.POST("/api/v1/incidents/{id}/severity", {
          params,
          body: { severity: action.severity, note: action.note },
        }),
      );
  }
}

/** The same for many; each has its own outcome. */
export function actOnMany(
  ids: number[],
  action: "ack" | "resolve",
  note?: string,
): Promise<Schemas["BulkAnswer"]> {
  return ask(client.POST("/api/v1/incidents/bulk", { body: { ids, action, note } }));
}
