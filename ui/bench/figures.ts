/** What is measured, as a line for people and a line for the table of `make show-ui`. */
import { appendFile } from "node:fs/promises";

const LINE = "ui 3";

/** A figure without a bar passes where it could be measured. */
export async function figure(what: string, figure: string, bar: string, holds: boolean): Promise<void> {
  const columns = [what, figure, bar, holds ? "pass" : "short"];
  console.log(`FIGURE ${columns.join(" | ")}`);
  const file = process.env.BELLWETHER_FIGURES;
  if (file) await appendFile(file, `${[LINE, ...columns].join("\t")}\n`);
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [below, above] = [sorted[Math.max(0, middle - 1)] ?? Number.NaN, sorted[middle] ?? Number.NaN];
  return sorted.length % 2 === 1 ? above : (below + above) / 2;
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

/** What values rise by with each unit of the other, by least squares. */
export function slope(points: readonly (readonly [x: number, y: number])[]): number {
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [x, y] = [mean(points.map(([x]) => x)), mean(points.map(([, y]) => y))];
  const spread = points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0);
  return points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0) / spread;
}

export const ms = (value: number) => `${Math.round(value)} ms`;
export const kB = (bytes: number) => `${(bytes / 1000).toFixed(1)} kB`;
export const MB = (bytes: number) => `${(bytes / 1e6).toFixed(2)} MB`;
