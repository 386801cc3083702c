/** First contentful paint and what is transferred for it, each time with an empty cache. */
import { contextOf } from "../e2e/browser.ts";
import { figure, kB, median, ms } from "./figures.ts";
import { server } from "./server.ts";

const PAINT_MAX_MS = 1_000;
const SCRIPTS_MAX_BYTES = 350_000;
const LATE_MS = 500;
const ROUNDS = Number(process.env.ROUNDS ?? 7);

interface Loaded {
  paint: number;
  /** Until the page shows what it is about. */
  shown: number;
  /** Bytes of scripts as they were sent, with their heads. */
  scripts: number;
  /** Of everything. */
  all: number;
}

/** A browser with nothing in it opens the address. */
async function load(path: string, ready: string): Promise<Loaded> {
  const context = await contextOf({});
  const page = await context.newPage();
  const network = await context.newCDPSession(page);
  const scripted = new Set<string>();
  let [scripts, all] = [0, 0];
  network.on("Network.responseReceived", ({ requestId, response }) => {
    if (response.fromDiskCache) throw new Error(`${response.url} came of a cache`);
    if (response.mimeType.includes("javascript")) scripted.add(requestId);
  });
  network.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
    all += encodedDataLength;
    if (scripted.has(requestId)) scripts += encodedDataLength;
  });
  await network.send("Network.enable");
  await page.goto(`${server()}/ui${path}`);
  await page.locator(ready).first().waitFor();
  const { paint, shown } = await page.evaluate(async () => {
    await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    const shown = performance.now();
    const [first] = performance.getEntriesByName("first-contentful-paint");
    return { paint: first?.startTime ?? Number.NaN, shown };
  });
  // What comes late counts as well.
  await page.waitForTimeout(LATE_MS);
  await context.close();
  return { paint, shown, scripts, all };
}

export async function paints(pages: [name: string, path: string, ready: string][]): Promise<void> {
  for (const [name, path, ready] of pages) {
    // One that does not count: the server and the browser have read their files.
    await load(path, ready);
    const rounds: Loaded[] = [];
    for (let round = 0; round < ROUNDS; round++) rounds.push(await load(path, ready));
    const paint = rounds.map(({ paint }) => paint);
    const shown = rounds.map(({ shown }) => shown);
    console.log(
      `${name}: first paints ${paint.map(ms).join(", ")}; with its data ${shown.map(ms).join(", ")}`,
    );
    const slowest = Math.max(...paint);
    await figure(
      `first contentful paint, ${name}, empty cache`,
      `median ${ms(median(paint))}, slowest of ${ROUNDS} ${ms(slowest)}; with its data ${ms(median(shown))}`,
      `≤ ${PAINT_MAX_MS} ms`,
      slowest <= PAINT_MAX_MS,
    );
    if (path === "/") {
      const scripts = Math.max(...rounds.map(({ scripts }) => scripts));
      const all = Math.max(...rounds.map(({ all }) => all));
      await figure(
        "JavaScript of the first page as it was sent (gzip)",
        `${kB(scripts)} of ${kB(all)} for everything, data included`,
        `≤ ${kB(SCRIPTS_MAX_BYTES)}`,
        scripts > 0 && scripts <= SCRIPTS_MAX_BYTES,
      );
    }
  }
}
