/** All incidents: filtered, sorted, selected and acted on; everything that is asked is in the address. */
import { Button } from "@mantine/core";
import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useCallback, useMemo, useRef, useState } from "react";
import { incidents } from "@/api/incidents.ts";
import { catalogue, services } from "@/api/services.ts";
import { Shown } from "@/components/face.tsx";
import { type BulkAction, useBulk } from "@/features/incidents/bulk.ts";
import { type Asked, filterOf, isFiltered, ME } from "@/features/incidents/filter.ts";
import { Filters } from "@/features/incidents/filters.tsx";
import { IncidentList } from "@/features/incidents/list.tsx";
import { NothingMatches, NothingOpen } from "@/features/incidents/quiet.tsx";
import { Refused } from "@/features/incidents/refused.tsx";
import { type Selection, toggled, visible } from "@/features/incidents/selection.ts";
import { useRows } from "@/features/incidents/use-rows.ts";
import { useScrolled } from "@/features/incidents/use-scrolled.ts";
import { counted } from "@/lib/amount.ts";
import { useIncidentAction } from "@/operating/actions.ts";
import { NoteDialog } from "@/operating/note.tsx";
import { useOperator } from "@/operating/operator.tsx";
import classes from "./incidents.module.css";

const route = getRouteApi("/incidents");

export function IncidentsPage() {
  const asked: Asked = route.useSearch();
  const navigate = route.useNavigate();
  const operator = useOperator();
  const bulk = useBulk();
  const { run } = useIncidentAction();
  const [selection, setSelection] = useState<Selection>(new Set());
  const before = useRef<number | null>(null);
  const [isPointed, setPointed] = useState(false);
  const isScrolled = useScrolled();
  const [dialog, setDialog] = useState<{ action: BulkAction; ids: number[] } | null>(null);

  // A range up to now is of the moment at which it was asked for: a list that moves by itself can't be read.
  const question = JSON.stringify(asked);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `asked` is in the question.
  const filter = useMemo(() => filterOf(asked, operator.name, Date.now()), [question, operator.name]);
  const query = useInfiniteQuery({ ...incidents(filter), placeholderData: keepPreviousData });
  const loaded = useMemo(() => query.data?.pages.flatMap((page) => page.items) ?? [], [query.data]);
  const answered = useRef(question);
  if (!query.isPlaceholderData) answered.current = question;
  const { rows, fresh, isBehind, take } = useRows(
    loaded,
    answered.current,
    isPointed || isScrolled || selection.size > 0,
  );
  const known = useQuery(services());
  const metrics = useQuery(catalogue());

  const ids = useMemo(() => rows.map(({ incident }) => incident.id), [rows]);
  const selected = useMemo(() => visible(selection, ids), [selection, ids]);
  const owners = useMemo(
    () =>
      [...new Set(loaded.flatMap(({ owner }) => (owner && owner !== operator.name ? [owner] : [])))].sort(),
    [loaded, operator.name],
  );
  const change = async (to: Asked) => {
    if (to.owner === ME && !(await operator.named())) return;
    setSelection(new Set());
    // Going back takes back a choice; what is typed is no step of its own.
    await navigate({ search: (now: Asked) => ({ ...now, ...to }), replace: "text" in to });
  };
  const clear = () => void navigate({ search: { sort: asked.sort } });
  const select = useCallback(
    (id: number, isRange: boolean) => {
      setSelection((now) => toggled(now, ids, id, before.current, isRange));
      before.current = id;
    },
    [ids],
  );
  const { hasNextPage, isFetching, fetchNextPage } = query;
  const more = useCallback(() => {
    if (hasNextPage && !isFetching) void fetchNextPage();
  }, [hasNextPage, isFetching, fetchNextPage]);

  const those = (wanted: number[]) =>
    rows.flatMap(({ incident }) => (wanted.includes(incident.id) ? [incident] : []));
  const runBulk = async (action: BulkAction, wanted: number[], note?: string) => {
    setDialog(null);
    const outcome = await bulk.run(those(wanted), action, note);
    if (outcome) setSelection(new Set(outcome.failed.map(({ id }) => id)));
  };
  const ask = (action: BulkAction, id: number | null) => {
    if (!operator.mayChange) return;
    if (selected.length > 0) setDialog({ action, ids: selected });
    else if (id !== null && action === "resolve") setDialog({ action, ids: [id] });
    else if (id !== null) for (const incident of those([id])) void run(incident, { do: "ack" });
  };
  const finish = async (action: BulkAction, wanted: number[], note?: string) => {
    const [only] = those(wanted);
    if (wanted.length > 1 || selected.length > 0 || !only) return runBulk(action, wanted, note);
    setDialog(null);
    await run(only, action === "ack" ? { do: "ack", note } : { do: "resolve", note });
  };
  const why = operator.mayChange ? undefined : "Viewers may only read";
  const isQuiet = rows.length === 0 && !hasNextPage;
  return (
    <div>
      <div className={classes.head}>
        <h1>Incidents</h1>
      </div>
      <Filters
        asked={asked}
        services={known.data ?? []}
        metrics={metrics.data ?? []}
        owners={owners}
        onChange={(to) => void change(to)}
        onClear={clear}
      />
      <Shown what="the incidents" query={query}>
        {() => (
          <>
            <Refused failed={bulk.failed} incidents={loaded} onClose={bulk.forget} />
            <div className={classes.bar}>
              <p role="status">
                {selected.length > 0
                  ? `${selected.length} selected`
                  : `${counted(rows.length, "incident")}${hasNextPage ? ", more below" : ""}`}
              </p>
              {selected.length > 0 ? (
                <>
                  <Button
                    size="xs"
                    disabled={!!why || bulk.isRunning}
                    title={why}
                    onClick={() => ask("ack", null)}
                  >
                    Acknowledge…
                  </Button>
                  <Button
                    size="xs"
                    variant="default"
                    disabled={!!why || bulk.isRunning}
                    title={why}
                    onClick={() => ask("resolve", null)}
                  >
                    Resolve…
                  </Button>
                  <Button size="xs" variant="default" onClick={() => setSelection(new Set())}>
                    Select none
                  </Button>
                  {why ? <span className="muted">{why}</span> : null}
                </>
              ) : null}
              <p className={classes.fresh} role="status">
                {fresh > 0 || isBehind ? (
                  <Button
                    size="xs"
                    variant="light"
                    onClick={() => {
                      take();
                      window.scrollTo({ top: 0 });
                    }}
                  >
                    {fresh > 0
                      ? `${fresh} new, show ${fresh === 1 ? "it" : "them"}`
                      : "The order has changed, sort again"}
                  </Button>
                ) : null}
              </p>
            </div>
            {isQuiet && !isFiltered(asked) ? (
              <NothingOpen />
            ) : isQuiet ? (
              <NothingMatches onClear={clear} />
            ) : (
              <IncidentList
                asked={asked}
                rows={rows}
                selection={selection}
                onSelect={select}
                onSelectAll={(all) => setSelection(new Set(all ? ids : []))}
                onSort={(sort) => void change({ sort: sort === "-opened" ? undefined : sort })}
                onHeld={setPointed}
                onNearEnd={more}
                keys={{ ack: (id) => ask("ack", id), resolve: (id) => ask("resolve", id) }}
              />
            )}
            {query.isFetchingNextPage ? <p className={classes.foot}>Loading more …</p> : null}
          </>
        )}
      </Shown>
      {dialog ? (
        <NoteDialog
          title={`${dialog.action === "ack" ? "Acknowledge" : "Resolve"} ${
            dialog.ids.length === 1 ? `#${dialog.ids[0]}` : counted(dialog.ids.length, "incident")
          }`}
          verb={dialog.action === "ack" ? "Acknowledge" : "Resolve"}
          label={dialog.ids.length === 1 ? "Note" : "One note for all of them"}
          onDone={(note) => void finish(dialog.action, dialog.ids, note)}
          onClose={() => setDialog(null)}
        />
      ) : null}
    </div>
  );
}
