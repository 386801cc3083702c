/** How long the server takes for the lines of all series, and how much that is. */
import { figure, kB, median, ms, quantile } from "./figures.ts";
import { server } from "./server.ts";

const ROUNDS = 50;

export async function sparklines(): Promise<void> {
  const took: number[] = [];
  let [bytes, count] = [0, 0];
  for (let round = 0; round < ROUNDS; round++) {
    const began = performance.now();
    const answer = await fetch(`${server()}/api/v1/sparklines`);
    const text = await answer.text();
    took.push(performance.now() - began);
    if (!answer.ok) throw new Error(`sparklines: ${answer.status} ${text}`);
    bytes = text.length;
    count = (JSON.parse(text) as { items: unknown[] }).items.length;
  }
  await figure(
    `GET /api/v1/sparklines of ${count} series`,
    `median ${ms(median(took))}, p95 ${ms(quantile(took, 0.95))}; ${kB(bytes)} before gzip`,
    "none",
    count > 0,
  );
}
