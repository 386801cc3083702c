/** One uPlot for as long as a chart is shown: new data and ranges are put into it, never a new one. */
import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef } from "react";
import uPlot from "uplot";
import { type Colours, onScheme, colours as read } from "./colours.ts";
import { columns } from "./data.ts";
import { options } from "./plot.ts";
import type { Shown } from "./shown.ts";

interface Wanted {
  box: RefObject<HTMLElement | null>;
  shown: Shown;
  height: number;
  sync: string | undefined;
  isZoomable: boolean;
  onCursor(at: number | null): void;
  onStretch(from: number, to: number): void;
}

/** Where nothing can be drawn, the words and the table remain. */
function hasCanvas(): boolean {
  return document.createElement("canvas").getContext("2d") !== null;
}

/** Puts the cursor at an instant, in all charts that move together; null takes it away. */
export type PointAt = (at: number | null) => void;

export function usePlot(wanted: Wanted): PointAt {
  const { box, shown, height, sync, isZoomable } = wanted;
  const plot = useRef<uPlot | null>(null);
  const latest = useRef(wanted);
  /** Where the keyboard has put the cursor: it stays at its instant when the range moves on. */
  const held = useRef<number | null>(null);
  useLayoutEffect(() => {
    latest.current = wanted;
  });

  useEffect(() => {
    const element = box.current;
    if (!element || !hasCanvas()) return;
    let palette: Colours = read();
    const { points, gaps, range } = latest.current.shown;
    const setup = {
      width: Math.max(element.clientWidth, 1),
      height,
      sync,
      isZoomable,
      shown: () => latest.current.shown,
      colours: () => palette,
      onCursor: (at: number | null) => latest.current.onCursor(at),
      onStretch: (from: number, to: number) => latest.current.onStretch(from, to),
    };
    const made = new uPlot(options(setup), columns(points, gaps, range), element);
    plot.current = made;
    const size = new ResizeObserver(() => {
      if (element.clientWidth > 0) made.setSize({ width: element.clientWidth, height });
    });
    size.observe(element);
    const stop = onScheme(() => {
      palette = read();
      made.redraw();
    });
    return () => {
      plot.current = null;
      size.disconnect();
      stop();
      made.destroy();
    };
  }, [box, height, sync, isZoomable]);

  const { points, gaps, incidents, high, critical, changes, marks, unit } = shown;
  const { from, to } = shown.range;
  // biome-ignore lint/correctness/useExhaustiveDependencies: whatever is drawn draws anew when it changes.
  useEffect(() => {
    const made = plot.current;
    if (!made) return;
    made.batch(() => {
      made.setData(columns(points, gaps, { from, to }), false);
      made.setScale("x", { min: from / 1000, max: to / 1000 });
    });
    if (held.current !== null) put(made, held.current);
  }, [points, gaps, incidents, high, critical, changes, marks, unit, from, to]);

  return useCallback(
    (at: number | null) => {
      const made = plot.current;
      held.current = at;
      if (!made) return latest.current.onCursor(at);
      const together = sync ? uPlot.sync(sync).plots : [made];
      for (const one of together) put(one, at);
    },
    [sync],
  );
}

function put(plot: uPlot, at: number | null): void {
  if (at === null) plot.setCursor({ left: -10, top: -10 });
  else plot.setCursor({ left: plot.valToPos(at / 1000, "x"), top: plot.height / 2 });
}
