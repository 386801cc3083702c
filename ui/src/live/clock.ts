/** The present, for "10 s ago": one timer for all who show it. */
import { useSyncExternalStore } from "react";

const STEP_MS = 1_000;
const MINUTE_MS = 60_000;
const listeners = new Set<() => void>();
let now = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  // Nobody looked for a while: the clock stood still.
  if (timer === undefined) now = Date.now();
  timer ??= setInterval(() => {
    now = Date.now();
    for (const told of listeners) told();
  }, STEP_MS);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

/** Milliseconds since 1970 by this browser's clock, newer each second. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => now);
}

/** The end of the present minute: for what may not move each second. */
export function useMinute(): number {
  return useSyncExternalStore(subscribe, () => Math.ceil(now / MINUTE_MS) * MINUTE_MS);
}
