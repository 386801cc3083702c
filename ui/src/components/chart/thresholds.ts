/** Dashed lines at High and Critical, as far as they are within the ends of the axis; else in words. */

import type uPlot from "uplot";
import { amount } from "@/lib/amount.ts";
import { type Draw, within, write, y } from "./canvas.ts";
import type { Shown } from "./shown.ts";

interface Threshold {
  word: "High" | "Critical";
  text: string;
  /** Where it is drawn, in pixels of the canvas. */
  at: number;
}

function given(plot: uPlot, shown: Shown): Threshold[] {
  const all: ["High" | "Critical", number | null][] = [
    ["High", shown.high],
    ["Critical", shown.critical],
  ];
  return all.flatMap(([word, value]) =>
    value === null ? [] : [{ word, text: `${word} ${amount(value, shown.unit)}`, at: y(plot, value) }],
  );
}

/** Those beyond the upper end, in words; empty where there are none. */
export function higher(plot: uPlot, shown: Shown): string {
  const texts = given(plot, shown).filter(({ at }) => at < plot.bbox.top);
  return texts.length > 0 ? `above: ${texts.map(({ text }) => text).join(", ")}` : "";
}

/** Labels need so much height. */
const LABEL = 18;

export const thresholds: Draw = (plot, shown, colours) =>
  within(plot, true, (ctx, ratio) => {
    const { left, top, width, height } = plot.bbox;
    const bottom = top + height;
    const all = given(plot, shown);
    const inside = all.filter(({ at }) => at >= top && at <= bottom);
    const [a, b] = inside;
    const isCramped = a !== undefined && b !== undefined && Math.abs(a.at - b.at) < 2 * LABEL * ratio;
    // At the old end: the new one is where something happens. Beside each other where they are near.
    let start = left + 4 * ratio;
    ctx.textAlign = "left";
    for (const { word, text, at } of inside) {
      const colour = word === "High" ? colours.high : colours.critical;
      ctx.strokeStyle = colour;
      ctx.lineWidth = ratio;
      ctx.setLineDash([4 * ratio, 4 * ratio]);
      ctx.beginPath();
      ctx.moveTo(left, at);
      ctx.lineTo(left + width, at);
      ctx.stroke();
      ctx.setLineDash([]);
      const isAbove = isCramped ? word === "Critical" && at - top > LABEL * ratio : at - top > LABEL * ratio;
      ctx.textBaseline = isAbove ? "bottom" : "top";
      write(ctx, text, start, at + (isAbove ? -2 : 3) * ratio, colour, colours.page);
      if (isCramped) start += ctx.measureText(text).width + 12 * ratio;
    }
    const lower = all.filter(({ at }) => at > bottom).map(({ text }) => text);
    if (lower.length === 0) return;
    ctx.textBaseline = "bottom";
    write(
      ctx,
      `below: ${lower.join(", ")}`,
      left + 4 * ratio,
      bottom - 2 * ratio,
      colours.muted,
      colours.page,
    );
  });
