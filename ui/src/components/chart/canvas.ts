/** Drawing on the canvas of a plot, in its pixels. */
import uPlot from "uplot";
import type { Colours } from "./colours.ts";
import type { Shown } from "./shown.ts";

/** Above the plot, in CSS pixels, where the labels of marks stand. */
export const LABELS_HEIGHT = 18;
export const FONT = '12px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif';

export type Draw = (plot: uPlot, shown: Shown, colours: Colours) => void;

/** With the state of the canvas as it was before, and nothing outside the plot unless it is wanted. */
export function within(
  plot: uPlot,
  isClipped: boolean,
  draw: (ctx: CanvasRenderingContext2D, ratio: number) => void,
): void {
  const { ctx, bbox } = plot;
  const ratio = uPlot.pxRatio;
  ctx.save();
  if (isClipped) {
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
  }
  ctx.font = FONT.replace("12px", `${12 * ratio}px`);
  draw(ctx, ratio);
  ctx.restore();
}

export const x = (plot: uPlot, at: number) => plot.valToPos(at / 1000, "x", true);
export const y = (plot: uPlot, value: number) => plot.valToPos(value, "y", true);

/** Text with the page's colour around it, so that lines don't run through. */
export function write(
  ctx: CanvasRenderingContext2D,
  text: string,
  left: number,
  top: number,
  fill: string,
  page: string,
) {
  ctx.lineJoin = "round";
  ctx.lineWidth = 3 * uPlot.pxRatio;
  ctx.strokeStyle = page;
  ctx.strokeText(text, left, top);
  ctx.fillStyle = fill;
  ctx.fillText(text, left, top);
}
