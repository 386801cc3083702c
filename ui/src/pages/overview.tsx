/** The overview: whether anything is in trouble, who moved first, and all services, worst first. */
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { useCallback, useMemo } from "react";
import { UNRESOLVED_MOST, unresolved } from "@/api/incidents.ts";
import { catalogue, findings, type Service, services } from "@/api/services.ts";
import { status } from "@/api/status.ts";
import { Failed, Loading, Shown } from "@/components/face.tsx";
import { Shape } from "@/components/state.tsx";
import { FirstRun } from "@/features/overview/first-run.tsx";
import { footingOf } from "@/features/overview/footing.ts";
import { headlineOf } from "@/features/overview/headline.ts";
import { onsetsOf } from "@/features/overview/onsets.ts";
import classes from "@/features/overview/overview.module.css";
import { columnsOf, rowsOf } from "@/features/overview/rows.ts";
import { Sentence } from "@/features/overview/sentence.tsx";
import { type Asked, lookOf, Services } from "@/features/overview/services.tsx";
import { useShapes } from "@/features/overview/shapes.ts";
import { useStable } from "@/features/overview/stable.ts";
import { Strip } from "@/features/overview/strip.tsx";
import { useWarnings } from "@/features/overview/warnings.ts";
import { number } from "@/lib/amount.ts";
import { rangeOf } from "@/lib/time.ts";

const route = getRouteApi("/");
const RANGE = "1h";

export function OverviewPage() {
  const watched = useQuery(services());
  return (
    <Shown what="the services" query={watched}>
      {(items) => (items.length > 0 ? <Fleet watched={items} /> : <NothingYet />)}
    </Shown>
  );
}

function NothingYet() {
  const how = useQuery(status());
  const known = useQuery(catalogue());
  if (!how.data) {
    return how.isError ? (
      <Failed what="the status" error={how.error} again={() => void how.refetch()} />
    ) : (
      <Loading what="the status" />
    );
  }
  return <FirstRun status={how.data} catalogue={known.data ?? []} />;
}

const NONE: never[] = [];

function Fleet({ watched }: { watched: Service[] }) {
  const search = route.useSearch();
  const navigate = useNavigate({ from: "/" });
  const ask = useCallback(
    (asked: Asked & { range?: string }) =>
      void navigate({ search: (before) => ({ ...before, ...asked }), replace: true, resetScroll: false }),
    [navigate],
  );
  const judged = useQuery(findings());
  const open = useQuery(unresolved());
  const known = useQuery(catalogue());
  const how = useQuery(status());
  const isTable = lookOf(search.as, watched.length) === "table";
  const sparks = useShapes(watched, isTable);

  const isPending = known.isPending || judged.isPending || open.isPending;
  const metrics = known.data ?? NONE;
  const incidents = open.data ?? NONE;
  const items = judged.data?.items ?? NONE;
  const warnings = useWarnings(watched, items);
  const onsets = useStable(onsetsOf(incidents, warnings));
  const columns = useMemo(() => columnsOf(metrics), [metrics]);
  const rows = useStable(
    useMemo(
      () => rowsOf({ services: watched, findings: items, incidents, columns, sparks }),
      [watched, items, incidents, columns, sparks],
    ),
  );
  const newest = Math.max(judged.dataUpdatedAt, open.dataUpdatedAt) || Date.now();
  const range = search.range ?? RANGE;
  const axis = useStable(rangeOf(range, newest) ?? { from: newest - 3_600_000, to: newest });
  const told = headlineOf({
    services: watched,
    findings: items,
    catalogue: metrics,
    onsets,
    hasMore: incidents.length >= UNRESOLVED_MOST,
    source: how.data?.source,
  });
  const footing = footingOf(items, judged.data?.evaluated_at ?? null, how.data, newest);
  const onRange = useCallback(
    (chosen: string) => ask({ range: chosen === RANGE ? undefined : chosen }),
    [ask],
  );

  if (isPending) return <Loading what="the services" />;
  return (
    <>
      <div className={isTable ? undefined : classes.beside}>
        <div>
          <h1 className={classes.title}>
            <Shape tone={told.tone} size={14} /> {told.title}
          </h1>
          <p className={classes.lead}>
            {open.isError ? (
              `The incidents can't be shown: ${open.error.message}`
            ) : (
              <Sentence parts={told.lead} />
            )}
          </p>
        </div>
        <Strip onsets={onsets} axis={axis} range={range} most={isTable ? 12 : 4} onRange={onRange} />
      </div>
      <Services rows={rows} columns={columns} asked={search} onAsk={ask} />
      {judged.isError ? (
        <p className={classes.footing} role="status">
          The newest values can't be shown: {judged.error.message}
        </p>
      ) : (
        <p className={classes.footing}>
          <Sentence parts={footing} />
          {incidents.length >= UNRESOLVED_MOST
            ? ` Of the unresolved incidents the ${number(UNRESOLVED_MOST)} newest are counted.`
            : null}
        </p>
      )}
    </>
  );
}
