/** What was found: the lines with their count, or why there are none and where to look instead. */
import { Button } from "@mantine/core";
import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { type ReactNode, useMemo } from "react";
import type { Schemas } from "@/api/client.ts";
import { logLines } from "@/api/logs.ts";
import { Copy } from "@/components/copy.tsx";
import { Empty, Failed, Loading } from "@/components/face.tsx";
import { When } from "@/components/when.tsx";
import { counted } from "@/lib/amount.ts";
import classes from "./found.module.css";
import { Lines } from "./lines.tsx";
import { LOGS_EXAMPLE, nearestOf } from "./outcome.ts";
import { type Asked, type LogSearch, questionOf } from "./question.ts";

/** So many lines a browser holds without a stutter. */
const HELD_MAX = 100_000;

interface Props {
  asked: Asked;
  onChange: (changed: LogSearch) => void;
}

export function Found({ asked, onChange }: Props) {
  const question = questionOf(asked);
  const query = useInfiniteQuery({ ...logLines(question), placeholderData: keepPreviousData });
  const lines = useMemo(() => query.data?.pages.flatMap((page) => page.items) ?? [], [query.data]);
  const page = query.data?.pages.at(-1);
  if (query.isError && lines.length === 0) {
    return <Failed what="the lines" error={query.error} again={() => void query.refetch()} />;
  }
  if (!page) return <Loading what="the lines" />;
  const isFull = lines.length >= HELD_MAX;
  const more = query.hasNextPage && !isFull && !query.isFetching ? () => void query.fetchNextPage() : null;
  const only = (text: string) => onChange({ text });
  if (lines.length === 0 && !query.hasNextPage) {
    return <None page={page} asked={asked} onChange={onChange} />;
  }
  return (
    <div className={query.isPlaceholderData ? classes.old : undefined}>
      <p className={classes.count} role="status">
        <Count
          loaded={lines.length}
          hasMore={query.hasNextPage}
          isFull={isFull}
          isFetching={query.isFetching}
        />
        <Malformed pages={query.data?.pages ?? []} />
      </p>
      {page.searched_to && query.hasNextPage ? (
        <p className={classes.count}>
          Searched so far: up to <When at={page.searched_to} />.{" "}
          <Button variant="default" size="compact-sm" disabled={!more} onClick={() => more?.()}>
            Search on
          </Button>
        </p>
      ) : null}
      {query.isFetchNextPageError ? (
        <Failed what="further lines" error={query.error} again={() => void query.fetchNextPage()} />
      ) : null}
      {lines.length > 0 ? (
        <Lines
          key={JSON.stringify(question)}
          lines={lines}
          service={asked.service}
          searched={asked.text}
          at={asked.at}
          order={asked.order}
          onNearEnd={page.items.length > 0 && !query.isError ? more : null}
          onOnly={only}
        />
      ) : null}
    </div>
  );
}

function Count(props: { loaded: number; hasMore: boolean; isFull: boolean; isFetching: boolean }) {
  const loaded = `${counted(props.loaded, "line")}`;
  if (props.isFetching) return `${loaded} loaded, loading more …`;
  if (props.isFull && props.hasMore)
    return `${loaded} loaded, more exist: narrow the range or the text to see them.`;
  return props.hasMore ? `${loaded} loaded, more exist.` : `${loaded}.`;
}

function Malformed({ pages }: { pages: Schemas["LogPage"][] }) {
  const count = pages.reduce((sum, page) => sum + page.malformed, 0);
  return count > 0
    ? ` ${counted(count, "line")} could not be understood and ${count === 1 ? "is" : "are"} left out.`
    : null;
}

/** Why there are no lines. */
function None({ page, asked, onChange }: { page: Schemas["LogPage"] } & Props): ReactNode {
  if (page.outcome === "not_configured") {
    return (
      <Empty title={`No log of ${asked.service} is configured`}>
        <p>
          Set <code>logs:</code> in <code>config.yaml</code>, with <code>{"{service}"}</code> where each
          service has a file of its own, and reload:
        </p>
        <pre>{LOGS_EXAMPLE}</pre>
        <Copy text={LOGS_EXAMPLE} label="copy" of="the example" />
        {page.detail ? <p className="muted">{page.detail}</p> : null}
      </Empty>
    );
  }
  if (page.outcome === "unreadable") {
    return (
      <Empty title={`The log of ${asked.service} can't be read`}>
        <p>{page.detail}</p>
        <p className="muted">
          The path stands under <code>logs:</code> in the configuration; the user that Bellwether runs as must
          be able to read it.
        </p>
      </Empty>
    );
  }
  const nearest = nearestOf(page.detail, asked.range);
  const isFiltered = asked.text !== "" || asked.level !== null;
  return (
    <Empty title={isFiltered && page.outcome === "found" ? "No line matches" : "No lines in this range"}>
      {page.detail ? <p>{`${page.detail.charAt(0).toUpperCase()}${page.detail.slice(1)}.`}</p> : null}
      {page.malformed > 0 ? <p>{counted(page.malformed, "line")} could not be understood.</p> : null}
      <div className={classes.ways}>
        {nearest ? (
          <Button
            variant="default"
            onClick={() => onChange({ range: nearest.range, at: "" })}
          >{`Go to the nearest line, ${nearest.distance}`}</Button>
        ) : null}
        {isFiltered ? (
          <Button variant="default" onClick={() => onChange({ text: "", level: "" })}>
            Show all levels and texts
          </Button>
        ) : null}
      </div>
    </Empty>
  );
}
