/** Whether the server is heard: over the stream, by asking, or not at all. */
import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { Problem } from "@/api/client.ts";
import { useLive } from "@/live/live.tsx";

/** A stream may take so long to come back before anything is said. */
const PATIENCE_MS = 2_000;

export interface Heard {
  /** Nothing answers since then. */
  silentSince: number | null;
  /** Live, but without a stream: the server is asked again and again instead. */
  isWithoutStream: boolean;
}

function isSilence(error: unknown): boolean {
  return error instanceof Problem && (error.isSilence || error.status === 502 || error.status === 504);
}

export function useHeard(): Heard {
  const queries = useQueryClient();
  const { mode, connection, refresh } = useLive();
  const [silentSince, setSilentSince] = useState<number | null>(null);
  const [isWithoutStream, setWithoutStream] = useState(false);
  const lostAt = useRef<number | null>(null);

  useEffect(
    () =>
      queries.getQueryCache().subscribe((event) => {
        if (event.type !== "updated" || event.query.meta?.live !== true) return;
        const { action } = event;
        if (action.type === "success") setSilentSince(null);
        else if ((action.type === "failed" || action.type === "error") && isSilence(action.error)) {
          setSilentSince((since) => since ?? lostAt.current ?? Date.now());
        }
      }),
    [queries],
  );

  const isLacking = mode === "live" && connection !== "open";
  useEffect(() => {
    if (!isLacking) return;
    lostAt.current = Date.now();
    // Whether only the stream is lost is found out by asking.
    const timer = setTimeout(() => {
      setWithoutStream(true);
      refresh();
    }, PATIENCE_MS);
    return () => {
      clearTimeout(timer);
      lostAt.current = null;
      setWithoutStream((wasWithout) => {
        // What happened meanwhile was not told.
        if (wasWithout) refresh();
        return false;
      });
    };
  }, [isLacking, refresh]);

  return { silentSince, isWithoutStream };
}
