/** What stands in a chart besides its line: band, incidents, gaps, thresholds, anomalies, marks. */
import uPlot from "uplot";
import { stretchInWords } from "@/lib/words.ts";
import { type Draw, LABELS_HEIGHT, within, write, x, y } from "./canvas.ts";
import type { Colours } from "./colours.ts";
import { instant, type Point, thinned } from "./data.ts";
import { placed } from "./labels.ts";
import type { Shown } from "./shown.ts";
import { higher, thresholds } from "./thresholds.ts";

const incidents: Draw = (plot, shown, colours) =>
  within(plot, true, (ctx) => {
    for (const { from, to, member } of shown.incidents) {
      const left = x(plot, instant(from));
      const right = x(plot, to === null ? shown.range.to : instant(to));
      ctx.fillStyle = member ? colours["critical-wash"] : colours.panel;
      ctx.fillRect(left, plot.bbox.top, Math.max(right - left, 1), plot.bbox.height);
    }
  });

/** Distance of the lines of a hatching. */
const HATCH = 8;

const gaps: Draw = (plot, shown, colours) => {
  for (const gap of shown.gaps) {
    within(plot, true, (ctx, ratio) => {
      const { top, height } = plot.bbox;
      const left = Math.max(x(plot, instant(gap.from)), plot.bbox.left);
      const right = Math.min(x(plot, instant(gap.to)), plot.bbox.left + plot.bbox.width);
      if (right <= left) return;
      ctx.beginPath();
      ctx.rect(left, top, right - left, height);
      ctx.clip();
      ctx.fillStyle = colours.panel;
      ctx.fillRect(left, top, right - left, height);
      ctx.strokeStyle = colours.hairline;
      ctx.lineWidth = ratio;
      ctx.beginPath();
      for (let at = left - height; at < right; at += HATCH * ratio) {
        ctx.moveTo(at, top + height);
        ctx.lineTo(at + height, top);
      }
      ctx.stroke();
      const text = stretchInWords(gap);
      if (ctx.measureText(text).width > right - left - 12 * ratio) return;
      ctx.textAlign = "center";
      ctx.textBaseline = "middle";
      write(ctx, text, (left + right) / 2, top + height / 2, colours.muted, colours.panel);
    });
  }
};

/** Stretches of points that all have a band; a gap ends one. */
function banded(shown: Shown): Point[][] {
  const runs: Point[][] = [];
  let run: Point[] = [];
  let gap = 0;
  for (const point of shown.points) {
    const at = instant(point.ts);
    let isApart = false;
    for (let next = shown.gaps[gap]; next && instant(next.to) <= at; next = shown.gaps[gap]) {
      isApart = true;
      gap += 1;
    }
    if ((isApart || point.lower === null) && run.length > 0) {
      runs.push(run);
      run = [];
    }
    if (point.lower !== null && point.upper !== null) run.push(point);
  }
  if (run.length > 0) runs.push(run);
  return runs;
}

const band: Draw = (plot, shown, colours) =>
  within(plot, true, (ctx) => {
    ctx.fillStyle = colours.band;
    for (const run of banded(shown)) {
      ctx.beginPath();
      for (const point of run) ctx.lineTo(x(plot, instant(point.ts)), y(plot, point.upper ?? point.value));
      for (const point of run.toReversed())
        ctx.lineTo(x(plot, instant(point.ts)), y(plot, point.lower ?? point.value));
      ctx.closePath();
      ctx.fill();
    }
  });

/** Shapes of anomalies are so far apart at least. */
const APART = 9;

/** The shapes of states: ◆ Critical, ▲ High, □ an anomaly below its thresholds. */
function shape(
  ctx: CanvasRenderingContext2D,
  point: Point,
  left: number,
  top: number,
  size: number,
  colours: Colours,
) {
  ctx.beginPath();
  if (point.severity === "Critical") {
    ctx.moveTo(left, top - size);
    ctx.lineTo(left + size, top);
    ctx.lineTo(left, top + size);
    ctx.lineTo(left - size, top);
  } else if (point.severity === "High") {
    ctx.moveTo(left, top - size);
    ctx.lineTo(left + size, top + size * 0.8);
    ctx.lineTo(left - size, top + size * 0.8);
  } else {
    ctx.rect(left - size * 0.75, top - size * 0.75, size * 1.5, size * 1.5);
  }
  ctx.closePath();
  ctx.lineWidth = 1.5 * uPlot.pxRatio;
  const isFilled = point.severity === "Critical" || point.severity === "High";
  ctx.fillStyle = isFilled ? (point.severity === "Critical" ? colours.critical : colours.high) : colours.page;
  ctx.strokeStyle = isFilled ? colours.page : colours.warning;
  ctx.fill();
  ctx.stroke();
}

const anomalies: Draw = (plot, shown, colours) =>
  within(plot, true, (ctx, ratio) => {
    const points = shown.points.filter((point) => point.prediction === "Anomaly");
    const places = points.map((point) => x(plot, instant(point.ts)));
    for (const at of thinned(places, APART * ratio)) {
      const point = points[at];
      const left = places[at];
      if (point && left !== undefined) shape(ctx, point, left, y(plot, point.value), 5 * ratio, colours);
    }
  });

const marks: Draw = (plot, shown, colours) =>
  within(plot, false, (ctx, ratio) => {
    const { left, top, width, height } = plot.bbox;
    const all = [...shown.marks, ...shown.changes]
      .map(({ at, text }) => ({ at: x(plot, instant(at)), text, width: ctx.measureText(text).width }))
      .filter(({ at }) => at >= left && at <= left + width);
    ctx.strokeStyle = colours.muted;
    ctx.lineWidth = ratio;
    ctx.beginPath();
    for (const { at } of all) {
      ctx.moveTo(Math.round(at) + 0.5, top - LABELS_HEIGHT * ratio);
      ctx.lineTo(Math.round(at) + 0.5, top + height);
    }
    ctx.stroke();
    ctx.textBaseline = "bottom";
    const above = higher(plot, shown);
    ctx.textAlign = "right";
    ctx.fillStyle = colours.muted;
    ctx.fillText(above, left + width, top - 3 * ratio);
    const room = above ? ctx.measureText(above).width + 8 * ratio : 0;
    ctx.textAlign = "left";
    ctx.fillStyle = colours.text;
    placed(all, left, left + width - room, 4 * ratio).forEach((place, at) => {
      const text = all[at]?.text;
      if (place !== null && text) ctx.fillText(text, place, top - 3 * ratio);
    });
  });

/** Draws around the line: what lies behind it first. */
export function around(shown: () => Shown, colours: () => Colours): uPlot.Plugin {
  const all = (draws: Draw[]) => (plot: uPlot) => {
    for (const draw of draws) draw(plot, shown(), colours());
  };
  return {
    hooks: {
      drawClear: all([incidents, gaps, band]),
      draw: all([thresholds, marks, anomalies]),
    },
  };
}
