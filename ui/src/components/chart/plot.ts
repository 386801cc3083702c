/** How uPlot is set up. What changes while it lives is read through functions. */
import type uPlot from "uplot";
import { axisNumbers, axisTimes } from "./axis.ts";
import { FONT, LABELS_HEIGHT } from "./canvas.ts";
import type { Colours } from "./colours.ts";
import { ends } from "./data.ts";
import { around } from "./draw.ts";
import type { Shown } from "./shown.ts";

export interface Setup {
  width: number;
  height: number;
  sync: string | undefined;
  shown: () => Shown;
  colours: () => Colours;
  /** The cursor moved to an instant, or left. */
  onCursor(at: number | null): void;
  /** A stretch was drawn over. */
  onStretch(from: number, to: number): void;
  /** Whether stretches are of use. */
  isZoomable: boolean;
}

/** Shorter movements of the mouse are clicks. */
const DRAG_PX = 5;
/** At least so wide is what stands left of the plot, so that charts one under the other align. */
const LEFT_PX = 52;
const DIGIT_PX = 7.5;

export function options(setup: Setup): uPlot.Options {
  const { shown, colours } = setup;
  const muted = () => colours().muted;
  const isOfCursor = (type: string) => type === "mousemove" || type === "mouseleave";
  return {
    width: setup.width,
    height: setup.height,
    // On the right a half of the last time of the axis.
    padding: [LABELS_HEIGHT, 20, 0, 0],
    legend: { show: false },
    cursor: {
      y: false,
      drag: { x: setup.isZoomable, y: false, setScale: false, dist: DRAG_PX },
      hover: { skip: [null, undefined] },
      points: { size: 9, stroke: () => colours().accent, fill: () => colours().page, width: 2 },
      ...(setup.sync
        ? {
            sync: {
              key: setup.sync,
              setSeries: false,
              scales: ["x", null],
              filters: { pub: isOfCursor, sub: isOfCursor },
            },
          }
        : {}),
    },
    scales: {
      x: { time: true, range: () => [shown().range.from / 1000, shown().range.to / 1000] },
      y: { range: () => ends(shown().points, [shown().high, shown().critical]) },
    },
    axes: [
      {
        stroke: muted,
        font: FONT,
        size: 28,
        gap: 4,
        space: 72,
        grid: { show: false },
        ticks: { stroke: () => colours().hairline, width: 1, size: 4 },
        values: (_, splits, __, ___, increment) => axisTimes(splits, increment),
      },
      {
        stroke: muted,
        font: FONT,
        size: (_, values) =>
          Math.max(LEFT_PX, Math.max(0, ...(values ?? []).map(({ length }) => length)) * DIGIT_PX + 12),
        gap: 6,
        space: 36,
        grid: { stroke: () => colours().hairline, width: 1 },
        ticks: { show: false },
        values: (_, splits, __, ___, increment) => axisNumbers(splits, increment),
      },
    ],
    series: [
      {},
      {
        stroke: () => colours().accent,
        width: 1.5,
        points: { show: false },
      },
    ],
    plugins: [around(shown, colours)],
    hooks: {
      setCursor: [
        (plot) => {
          const { left } = plot.cursor;
          setup.onCursor(left === undefined || left < 0 ? null : plot.posToVal(left, "x") * 1000);
        },
      ],
      setSelect: [
        (plot) => {
          const { left, width } = plot.select;
          if (width < DRAG_PX) return;
          const from = plot.posToVal(left, "x") * 1000;
          const to = plot.posToVal(left + width, "x") * 1000;
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          setup.onStretch(from, to);
        },
      ],
    },
  };
}
