/** What is watched, and how it is now. */
import { queryOptions } from "@tanstack/react-query";
import { rangeOf, seconds, span } from "@/lib/time.ts";
import { ask, client, type Schemas } from "./client.ts";

export type Service = Schemas["Service"];
export type Metric = Schemas["Metric"];
export type Finding = Schemas["FindingView"];
export type Series = Schemas["Series"];
export type Sparkline = Schemas["Sparkline"];
export type CatalogueMetric = Schemas["CatalogueMetric"];

export const services = () =>
  queryOptions({
    queryKey: ["services"],
    queryFn: ({ signal }) => ask(client.GET("/services", { signal })).then((page) => page.items),
    meta: { live: true },
  });

/** The newest judgement of every series. Pages of 1,000 are put together. */
export const findings = () =>
  queryOptions({
    queryKey: ["findings"],
    queryFn: async ({ signal }) => {
      const items: Finding[] = [];
      let evaluated_at: string | null = null;
      let cursor: string | undefined;
      do {
        const page: Schemas["Findings"] = await ask(
          client.GET("/api/v1/findings", { params: { query: { limit: 1000, cursor } }, signal }),
        );
        items.push(...page.items);
        evaluated_at = page.evaluated_at;
        cursor = page.next_cursor ?? undefined;
      } while (cursor);
      return { evaluated_at, items };
    },
    meta: { live: true },
  });

export const findingsOf = (service: string) =>
  queryOptions({
    queryKey: ["findings", service],
    queryFn: ({ signal }) =>
      ask(client.GET("/api/v1/findings", { params: { query: { service, limit: 1000 } }, signal })),
    meta: { live: true },
  });

/** A stretch of a series: values, what was expected, gaps, incidents. Times are RFC 3339 or epoch seconds. */
export const series = (asked: {
  service: string;
  metric: string;
  from: string;
  to: string;
  points: number;
}) =>
  queryOptions({
    queryKey: ["series", asked],
    queryFn: ({ signal }) => ask(client.GET("/api/v1/series", { params: { query: asked }, signal })),
    meta: { live: true },
  });

/** The shape of every watched series in few numbers; the last hour where nothing is asked. */
export const sparklines = (asked: { from?: string; to?: string; points?: number; service?: string } = {}) =>
  queryOptions({
    queryKey: ["sparklines", asked],
    queryFn: ({ signal }) => ask(client.GET("/api/v1/sparklines", { params: { query: asked }, signal })),
    meta: { live: true },
  });

/** The same of a past that does not change any more. */
export const seriesOnce = (asked: {
  service: string;
  metric: string;
  from: string;
  to: string;
  points: number;
}) =>
  queryOptions({
    queryKey: ["past", asked],
    queryFn: ({ signal }) => ask(client.GET("/api/v1/series", { params: { query: asked }, signal })),
    staleTime: Number.POSITIVE_INFINITY,
    retry: false,
  });

/**
 * The same for a range as it stands in an address; a span up to now moves on each time it is
 * renewed. With a word for how old it may be it is renewed when that changes, not with each tick.
 */
export const seriesIn = (
  asked: { service: string; metric: string; range: string; points: number },
  age?: string,
) =>
  queryOptions({
    queryKey: age === undefined ? ["series", asked] : ["past", asked, age],
    queryFn: ({ signal }) => {
      const { service, metric, points } = asked;
      const range = rangeOf(asked.range, Date.now());
      const from = range ? seconds(range.from) : undefined;
      // The server's present, not this browser's.
      const to = range && span(asked.range) === null ? seconds(range.to) : undefined;
      return ask(
        client.GET("/api/v1/series", { params: { query: { service, metric, from, to, points } }, signal }),
      );
    },
    meta: { live: age === undefined },
  });

export const catalogue = () =>
  queryOptions({
    queryKey: ["catalogue"],
    queryFn: ({ signal }) => ask(client.GET("/api/v1/catalogue", { signal })).then((page) => page.items),
    staleTime: 300_000,
  });
