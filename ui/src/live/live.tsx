/**
 * How the pages stay up to date: live over server-sent events, by asking again every so many
 * seconds, or not at all. One place decides for all pages.
 */
import { useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, useContext, useEffect, useMemo, useRef, useState } from "react";
import { useTaste } from "@/lib/taste.ts";
import { type Connection, follow } from "./stream.ts";

export const MODES = ["live", "2", "5", "10", "30", "60", "paused"] as const;
/** Live, every so many seconds, or paused. */
export type Mode = (typeof MODES)[number];

export function modeInWords(mode: Mode): string {
  if (mode === "live") return "live";
  return mode === "paused" ? "paused" : `every ${mode} s`;
}

/** Without a stream, live pages ask this often. */
const FALLBACK_MS = 15_000;
/** A stream that could not be begun is tried again after this. */
const AGAIN_MS = 5_000;

interface Live {
  mode: Mode;
  setMode(mode: Mode): void;
  connection: Connection | null;
  /** When data was last fetched, by this browser's clock. */
  asOf: number | null;
  /** Asks for everything that is shown again, now. */
  refresh(): void;
}

const Context = createContext<Live | null>(null);

export function useLive(): Live {
  const live = useContext(Context);
  if (!live) throw new Error("useLive needs a <LiveProvider>");
  return live;
}

export function LiveProvider({ children }: { children: ReactNode }) {
  const queries = useQueryClient();
  const [mode, setMode] = useTaste<Mode>("refresh", MODES, "live");
  const [connection, setConnection] = useState<Connection | null>(null);
  const [attempt, setAttempt] = useState(0);
  const [asOf, setAsOf] = useState<number | null>(null);
  const refresh = useRef(() => {
    void queries.invalidateQueries({ predicate: (query) => query.meta?.live === true });
  });

  // biome-ignore lint/correctness/useExhaustiveDependencies: an attempt more is a new stream.
  useEffect(() => {
    if (mode !== "live") {
      setConnection(null);
      return;
    }
    let again: ReturnType<typeof setTimeout> | undefined;
    const stop = follow(queries, {
      onConnection: (now) => {
        setConnection(now);
        if (now === "lost") again = setTimeout(() => setAttempt((count) => count + 1), AGAIN_MS);
      },
      onEvent: () => {},
    });
    return () => {
      clearTimeout(again);
      stop();
    };
  }, [mode, queries, attempt]);

  useEffect(() => {
    const every = mode === "live" ? (connection === "open" ? null : FALLBACK_MS) : Number(mode) * 1000;
    if (mode === "paused" || every === null) return;
    const timer = setInterval(refresh.current, every);
    return () => clearInterval(timer);
  }, [mode, connection]);

  useEffect(
    () =>
      queries.getQueryCache().subscribe((event) => {
        if (event.type === "updated" && event.action.type === "success" && event.query.meta?.live === true) {
          setAsOf(event.query.state.dataUpdatedAt);
        }
      }),
    [queries],
  );

  const live = useMemo(
    () => ({ mode, setMode, connection, asOf, refresh: refresh.current }),
    [mode, setMode, connection, asOf],
  );
  return <Context.Provider value={live}>{children}</Context.Provider>;
}
