/** One incident: what it is, when, what changed, which part, how unusual, what the logs say, what was done. */
import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useMemo } from "react";
import { Problem, type Schemas } from "@/api/client.ts";
import { type Incident, incident as incidentQuery, incidents } from "@/api/incidents.ts";
import { catalogue, services } from "@/api/services.ts";
import { stringifySearch } from "@/app/search.ts";
import { Copy } from "@/components/copy.tsx";
import { Shown } from "@/components/face.tsx";
import { Actions } from "@/features/incident/actions.tsx";
import { SeenBefore } from "@/features/incident/before.tsx";
import { WhatChanged } from "@/features/incident/changed.tsx";
import { Head } from "@/features/incident/head.tsx";
import { worstMember } from "@/features/incident/headline.ts";
import { WhatLogsSay } from "@/features/incident/logs.tsx";
import { Missing } from "@/features/incident/missing.tsx";
import { WhatMoved } from "@/features/incident/moved.tsx";
import { neighbours } from "@/features/incident/neighbours.ts";
import { Timeline } from "@/features/incident/timeline.tsx";
import { rangeAround } from "@/features/incident/unusual.ts";
import { HowUnusual } from "@/features/incident/unusual.tsx";
import { useNews } from "@/features/incident/use-news.ts";
import { Times } from "@/features/incident/when.tsx";
import { Which } from "@/features/incident/which.tsx";
import { useKeys } from "@/lib/keys.ts";
import { type Range, rangeOf, rangeText } from "@/lib/time.ts";
import { useMinute } from "@/live/clock.ts";
import { useOperator } from "@/operating/operator.tsx";
import classes from "./incident.module.css";

const route = getRouteApi("/incidents/$id");

export function IncidentPage() {
  const { id: text } = route.useParams();
  const id = /^\d{1,15}$/.test(text) ? Number(text) : null;
  if (id === null) return <NoSuch text={text} />;
  return <Numbered key={id} id={id} />;
}

function Numbered({ id }: { id: number }) {
  const operator = useOperator();
  const query = useQuery(incidentQuery(id));
  useNews(query.data?.incident, operator.name);
  useNeighbourKeys(id);
  if (query.error instanceof Problem && query.error.status === 404) return <NoSuch text={String(id)} />;
  return (
    <Shown what={`incident #${id}`} query={query}>
      {({ incident }) => <Page incident={incident} />}
    </Shown>
  );
}

function NoSuch({ text }: { text: string }) {
  return (
    <div className={classes.none}>
      <h1>There is no incident #{text}</h1>
      <p>
        It was never opened here, or it is older than what is kept.{" "}
        <Link to="/incidents">Show all incidents</Link>
      </p>
    </div>
  );
}

function Page({ incident }: { incident: Incident }) {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const minute = useMinute();
  const known = useQuery(catalogue());
  const lastSeen = useLastSeen(incident);
  const { title, unit, query } = useMetrics(incident, known.data);

  const metrics = choice(incident, search.metric).map((id) => ({ id, title: title(id), query: query(id) }));
  const metric = metrics.find(({ id }) => id === search.metric)?.id ?? metrics[0]?.id ?? null;
  const asked = search.range ? rangeOf(search.range, minute) : null;
  const range = asked ?? rangeAround(incident, minute);
  const change = (to: { metric?: string; range?: string }) =>
    void navigate({ search: (before) => ({ ...before, ...to }), replace: true, resetScroll: false });
  const link = new URL(window.location.href);
  link.search = stringifySearch({ range: rangeText(range), metric });
  const { explanation } = incident;
  return (
    <article className={classes.page}>
      <Head incident={incident} title={title} unit={unit} />
      <div className={classes.tools}>
        <Actions incident={incident} />
        <Copy text={link.href} label="copy link" />
      </div>
      <Times incident={incident} lastSeen={lastSeen} />
      <div className={classes.beside}>
        {explanation ? (
          <div className={classes.column}>
            <WhatChanged changes={explanation.what_changed} title={title} />
            <Which which={explanation.which} title={title} />
          </div>
        ) : null}
        {metric ? (
          <div className={classes.chart}>
            <HowUnusual
              incident={incident}
              metric={metric}
              metrics={metrics}
              range={range}
              onMetric={(to) => change({ metric: to })}
              onRange={(to: Range) => change({ range: rangeText(to) })}
              onReset={asked ? () => change({ range: undefined }) : null}
            />
          </div>
        ) : null}
      </div>
      {explanation ? (
        <>
          <WhatMoved
            shifts={explanation.shifts}
            title={title}
            members={incident.members.map((member) => member.metric)}
            onMetric={(to) => {
              change({ metric: to });
              window.scrollTo({ top: 0 });
            }}
          />
          <WhatLogsSay incident={incident} answer={explanation.logs} />
          <SeenBefore similar={explanation.similar} title={title} />
          <Missing missing={explanation.missing} />
        </>
      ) : (
        <p>Why it opened has not been gathered yet: that takes some seconds after the opening.</p>
      )}
      <Timeline incident={incident} />
    </article>
  );
}

/** The members, the worst first, and another metric that was asked for. */
function choice(incident: Incident, asked: string | undefined): string[] {
  const worst = worstMember(incident)?.metric;
  const members = incident.members.map(({ metric }) => metric);
  const shifted = incident.explanation?.shifts.items.map(({ metric }) => metric) ?? [];
  const gone = incident.kind === "availability" ? ["availability"] : [];
  const all = [worst, ...members, ...gone, ...shifted, asked].filter((metric) => metric !== undefined);
  return [...new Set(all)];
}

/** Titles, units and queries as the catalogue has them; what it lacks, as it was when the incident opened. */
function useMetrics(incident: Incident, known: Schemas["CatalogueMetric"][] | undefined) {
  const { explanation } = incident;
  return useMemo(() => {
    const by = new Map<string, { title: string; unit: string; query?: string }>();
    for (const metric of [...(explanation?.shifts.items ?? []), ...(explanation?.how_unusual ?? [])]) {
      by.set(metric.metric, { title: metric.title, unit: metric.unit });
    }
    for (const metric of known ?? []) by.set(metric.id, metric);
    return {
      title: (id: string) => by.get(id)?.title ?? id,
      unit: (id: string) => by.get(id)?.unit ?? "",
      query: (id: string) => by.get(id)?.query ?? null,
    };
  }, [explanation, known]);
}

/** An evaluation tells which incident of a service fires; the incident itself is renewed when something happens. */
function useLastSeen(incident: Incident): string {
  const seen = useQuery({
    ...services(),
    enabled: incident.firing,
    select: (all) => all.find((service) => service.incident === incident.id)?.last_seen_ts ?? null,
  });
  const at = incident.firing ? seen.data : null;
  return at && Date.parse(at) > Date.parse(incident.last_seen_ts) ? at : incident.last_seen_ts;
}

/** j and k go on in the list one came from, else in all incidents. */
function useNeighbourKeys(id: number): void {
  const queries = useQueryClient();
  const navigate = route.useNavigate();
  const seen = useMemo(() => {
    const lists = queries.getQueryCache().findAll({ queryKey: ["incidents"] });
    return lists
      .toSorted((a, b) => b.state.dataUpdatedAt - a.state.dataUpdatedAt)
      .map(({ state }) => numbers(state.data))
      .find((ids) => ids.includes(id));
  }, [queries, id]);
  const all = useInfiniteQuery({ ...incidents({ sort: "-opened" }), enabled: seen === undefined });
  const { next, previous } = neighbours(seen ?? numbers(all.data), id);
  const go = (to: number | null) => {
    if (to !== null) void navigate({ to: "/incidents/$id", params: { id: String(to) }, search: {} });
  };
  useKeys({ j: () => go(next), k: () => go(previous) });
}

function numbers(data: unknown): number[] {
  if (typeof data !== "object" || data === null || !("pages" in data) || !Array.isArray(data.pages))
    return [];
  return (data.pages as Schemas["IncidentPage"][]).flatMap(({ items }) => items.map(({ id }) => id));
}
