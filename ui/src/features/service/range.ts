/** The range of all charts: in the address, so that it can be shared and gone back from. */
import { getRouteApi } from "@tanstack/react-router";
import { useCallback, useRef } from "react";
import { type Range, rangeOf, rangeText, span } from "@/lib/time.ts";

const route = getRouteApi("/services/$service");

export const USUAL = "1h";
/** Shorter stretches have hardly a sample. */
const SHORTEST = 30_000;

/** A stretch that was zoomed to: not too short, and not in the future. */
export function bounded(range: Range, now: number): Range {
  const to = Math.min(range.to, now);
  return { from: Math.min(range.from, to - SHORTEST), to };
}

/** Up to this length a range is renewed with each tick. */
const LONG = 6 * 3_600_000;
const MINUTE = 60_000;

/**
 * How old what is drawn of a range may be: a word that changes when it is to be renewed, undefined
 * for with each tick. Of a week nobody sees a tick, and of what is past hardly anything changes.
 */
export function ageOf(range: string, evaluated: number, points: number): string | undefined {
  const back = span(range);
  if (back !== null) return back <= LONG ? undefined : String(Math.floor(evaluated / (back / points)));
  const ends = rangeOf(range, evaluated);
  return ends && ends.to > evaluated - MINUTE ? undefined : String(Math.floor(evaluated / MINUTE));
}

export interface Ranging {
  /** As it stands in the address. */
  range: string;
  choose(range: string): void;
  zoom(range: Range): void;
  /** Back to the span that was shown before zooming. */
  reset(): void;
}

export function useRange(): Ranging {
  const asked = route.useSearch({ select: (search) => search.range });
  const navigate = route.useNavigate();
  const range = asked && rangeOf(asked, 0) ? asked : USUAL;
  const before = useRef(USUAL);
  if (span(range) !== null) before.current = range;
  const choose = useCallback(
    (chosen: string) => {
      void navigate({
        search: (search) => ({ ...search, range: chosen === USUAL ? undefined : chosen }),
        resetScroll: false,
      });
    },
    [navigate],
  );
  const zoom = useCallback((to: Range) => choose(rangeText(bounded(to, Date.now()))), [choose]);
  const reset = useCallback(() => choose(before.current), [choose]);
  return { range, choose, zoom, reset };
}
