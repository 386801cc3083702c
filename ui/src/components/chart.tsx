/**
 * The past of one metric: line, expected band, thresholds, anomalies, gaps, incidents and changes.
 * What is drawn is also said in words and as a table, and the keyboard moves the cursor.
 */
import "uplot/dist/uPlot.min.css";
import { type KeyboardEvent, useCallback, useId, useMemo, useRef, useState } from "react";
import type { Schemas } from "@/api/client.ts";
import { local, type Range, utc } from "@/lib/time.ts";
import classes from "./chart/chart.module.css";
import { instant, nearest, zoomed } from "./chart/data.ts";
import type { Mark, Shown } from "./chart/shown.ts";
import { rested, summary, told } from "./chart/summary.ts";
import { Numbers } from "./chart/table.tsx";
import { usePlot } from "./chart/use-plot.ts";

export interface ChartProps {
  /** For the text alternative: "payments, latency p99". */
  title: string;
  unit: string;
  points: Schemas["SeriesPoint"][];
  gaps: Schemas["SeriesGap"][];
  incidents: Schemas["SeriesIncident"][];
  high: number | null;
  critical: number | null;
  /** Vertical marks with a short label. */
  changes?: Mark[];
  /** Such as the onset. */
  marks?: Mark[];
  /** The ends of the x axis. */
  range: Range;
  /** Drawing over a stretch, and + and −, zoom. */
  onRange?: (range: Range) => void;
  /** A double click, and 0, go back. */
  onReset?: () => void;
  /** Cursors of charts with the same word move together. */
  sync?: string;
  height?: number;
}

const NONE: Mark[] = [];
/** With Shift the arrow keys move so many samples. */
const FAR = 10;

export function Chart(props: ChartProps) {
  const {
    title,
    unit,
    points,
    gaps,
    incidents,
    high,
    critical,
    changes = NONE,
    marks = NONE,
    range,
    onRange,
    onReset,
  } = props;
  const { from, to } = range;
  const shown: Shown = useMemo(
    () => ({ unit, points, gaps, incidents, high, critical, changes, marks, range: { from, to } }),
    [unit, points, gaps, incidents, high, critical, changes, marks, from, to],
  );
  const box = useRef<HTMLDivElement>(null);
  const [at, setAt] = useState<number | null>(null);
  const latest = useRef(shown);
  latest.current = shown;
  const pointAt = usePlot({
    box,
    shown,
    height: props.height ?? 200,
    sync: props.sync,
    isZoomable: onRange !== undefined,
    onCursor: useCallback(
      (moved: number | null) => setAt(moved === null ? null : rested(latest.current, moved)),
      [],
    ),
    onStretch: (start, end) => onRange?.({ from: Math.round(start), to: Math.round(end) }),
  });

  const move = (steps: number) => {
    const now = at === null ? points.length - 1 : nearest(points, at);
    // Without a cursor the newest sample is told already, so a step back begins there.
    const isFirst = at === null && steps === -1;
    const point = points[Math.min(Math.max(isFirst ? now : now + steps, 0), points.length - 1)];
    if (point) pointAt(instant(point.ts));
  };
  const keys: Record<string, (() => void) | undefined> = {
    ArrowLeft: () => move(-1),
    ArrowRight: () => move(1),
    PageUp: () => move(-FAR),
    PageDown: () => move(FAR),
    Home: () => move(-points.length),
    End: () => move(points.length),
    Escape: at === null ? undefined : () => pointAt(null),
    "+": onRange && (() => onRange(zoomed(range, at ?? to, 0.5))),
    "=": onRange && (() => onRange(zoomed(range, at ?? to, 0.5))),
    "-": onRange && (() => onRange(zoomed(range, at ?? to, 2))),
    "0": onReset,
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const arrow = event.key === "ArrowLeft" ? -FAR : event.key === "ArrowRight" ? FAR : 0;
    const act = event.shiftKey && arrow ? () => move(arrow) : keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  };

  // Only for which day is today's, so it need not be renewed each second.
  const now = Date.now();
  const newest = points.at(-1);
  const where = at ?? (newest ? instant(newest.ts) : null);
  const words = where === null ? [] : told(shown, where, now);
  const sentence = useMemo(() => summary(title, shown, Date.now()), [title, shown]);
  const described = useId();
  return (
    <figure className={classes.chart}>
      <Readout at={where} isNewest={at === null} words={words} now={now} />
      <div
        ref={box}
        className={classes.plot}
        role="slider"
        tabIndex={0}
        aria-label={`${title}: cursor along the samples`}
        aria-describedby={described}
        aria-orientation="horizontal"
        aria-valuemin={0}
        aria-valuemax={Math.max(points.length - 1, 0)}
        aria-valuenow={where === null ? 0 : Math.max(nearest(points, where), 0)}
        aria-valuetext={where === null ? "no samples" : `${local(where, now)}: ${words.join(", ")}`}
        onKeyDown={onKeyDown}
        onBlur={() => pointAt(null)}
        onDoubleClick={onReset}
        style={{ minHeight: props.height ?? 200 }}
      />
      <figcaption id={described} className="visually-hidden">
        {sentence}
      </figcaption>
      <Numbers shown={shown} title={title} />
    </figure>
  );
}

/** What there is under the cursor, or now. */
function Readout({
  at,
  isNewest,
  words,
  now,
}: {
  at: number | null;
  isNewest: boolean;
  words: string[];
  now: number;
}) {
  if (at === null) return <p className={classes.readout}>No samples in this range.</p>;
  const [value, ...rest] = words;
  return (
    <p className={classes.readout}>
      <span className="muted">
        {isNewest ? "Newest, " : ""}
        <time dateTime={new Date(at).toISOString()} title={utc(at)}>
          {local(at, now)}
        </time>{" "}
        ({utc(at).slice(11)}):
      </span>{" "}
      <strong>{value}</strong>
      {rest.length > 0 ? `, ${rest.join(", ")}` : null}
    </p>
  );
}
