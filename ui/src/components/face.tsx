/** The faces of a page or part that has nothing to show: loading, empty, failed, forbidden. */
import { Button } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Problem } from "@/api/client.ts";
import classes from "./face.module.css";
import { When } from "./when.tsx";

/** Shown only when it takes long enough to wonder. */
export function Loading({ what }: { what: string }) {
  return (
    <p className={classes.loading} role="status">
      Loading {what} …
    </p>
  );
}

export function Empty({
  title,
  isPage = false,
  children,
}: {
  title: string;
  /** There is nothing else on the page: this is its heading. */
  isPage?: boolean;
  children?: ReactNode;
}) {
  return (
    <div className={classes.face}>
      {isPage ? <h1>{title}</h1> : <p className={classes.title}>{title}</p>}
      {children}
    </div>
  );
}

/** What failed, why, and what to do. */
export function Failed({ what, error, again }: { what: string; error: unknown; again?: () => void }) {
  const problem = error instanceof Problem ? error : null;
  const title =
    problem?.status === 403
      ? `You may not see ${what}`
      : problem?.isSilence
        ? "Bellwether does not answer"
        : `${what} can't be shown`;
  return (
    <div className={classes.face} role="alert">
      <p className={classes.title}>{capital(title)}</p>
      <p>{error instanceof Error ? error.message : String(error)}</p>
      {problem?.instance ? (
        <p className="muted">
          The log of Bellwether has more at <code>{problem.instance}</code>.
        </p>
      ) : null}
      {again ? (
        <Button variant="default" size="xs" onClick={again}>
          Try again
        </Button>
      ) : null}
    </div>
  );
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/**
 * What a query has, or its face. Data that could not be renewed is dimmed and dated, not hidden.
 */
export function Shown<T>({
  what,
  query,
  children,
}: {
  /** In a sentence: "the incidents". */
  what: string;
  query: UseQueryResult<T>;
  children: (data: T) => ReactNode;
}) {
  if (query.data === undefined) {
    if (query.isError) return <Failed what={what} error={query.error} again={() => void query.refetch()} />;
    return <Loading what={what} />;
  }
  if (!query.isError) return <>{children(query.data)}</>;
  return (
    <div>
      <p className={classes.stale} role="status">
        Not renewed since <When at={new Date(query.dataUpdatedAt).toISOString()} withAgo />:{" "}
        {query.error.message}
      </p>
      <div className={classes.dimmed}>{children(query.data)}</div>
    </div>
  );
}
