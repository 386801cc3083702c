/** Server-sent events, and which data each of them makes old. */
import type { QueryClient, QueryKey } from "@tanstack/react-query";
import { me } from "@/api/access.ts";
import { root } from "@/api/client.ts";
import { progressed } from "./progress.ts";

/** Events by name, with the queries that they make old; `missed` makes everything old. */
const CONCERNS: Record<string, (data: unknown) => QueryKey[]> = {
  tick: () => [["services"], ["findings"], ["series"], ["sparklines"]],
  incident: (data) => [["incidents"], ["incident", idOf(data)], ["services"], ["notices"]],
  job: () => [["jobs"], ["job"], ["models"], ["datasets"]],
  backfill: () => [["status"]],
  status: () => [["status"]],
  paging: () => [["status"], ["receivers"], ["mutes"]],
};

function idOf(data: unknown): number | null {
  const id = typeof data === "object" && data !== null && "id" in data ? data.id : null;
  return typeof id === "number" ? id : null;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

export type Connection = "connecting" | "open" | "lost";

/** What a stream tells besides making data old. */
export interface Told {
  onConnection(connection: Connection): void;
  /** Something was told; by its name. */
  onEvent(name: string, data: unknown): void;
}

/** Follows the server until the returned function is called. Browsers come back and resume by themselves. */
export function follow(queries: QueryClient, told: Told): () => void {
  const source = new EventSource(`${root}/api/v1/stream`, { withCredentials: true });
  told.onConnection("connecting");
  source.onopen = () => told.onConnection("open");
  source.onerror = () => {
    const isLost = source.readyState === EventSource.CLOSED;
    // Refused, perhaps since the session has ended: who asks that is told so.
    if (isLost) void queries.invalidateQueries({ queryKey: me().queryKey });
    told.onConnection(isLost ? "lost" : "connecting");
  };
  for (const [name, concerns] of Object.entries(CONCERNS)) {
    source.addEventListener(name, (event) => {
      const data = parsed((event as MessageEvent<string>).data);
      const isWritten = name === "job" && progressed(queries, data);
      if (!isWritten) for (const queryKey of concerns(data)) void queries.invalidateQueries({ queryKey });
      told.onEvent(name, data);
    });
  }
  source.addEventListener("missed", () => {
    void queries.invalidateQueries();
    told.onEvent("missed", null);
  });
  return () => source.close();
}
