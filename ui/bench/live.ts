/** Memory while the pages are live: first the overview alone, then with the way from page to page. */
import type { CDPSession, Page } from "playwright-core";
import { contextOf } from "../e2e/browser.ts";
import { figure, MB, median, slope } from "./figures.ts";
import { asked, comment, fault, server, unresolved } from "./server.ts";

const SECONDS = Number(process.env.LIVE_SECONDS ?? 600);
/** Each of both parts has so many samples of memory. */
const SAMPLES = 10;
/** What comes first fills caches: it is no part of what is compared. */
const WARM_UP_SHARE = 1 / 6;
/** A comment so often, besides what the fleet's ticks change. */
const COMMENT_MS = 3_000;
const FAULT_MS = 45_000;
/** Growth that is none: less than the garbage that two collections disagree about. */
const GROWTH_MAX_BYTES = 2_000_000;
const GROWTH_MAX_SHARE = 0.05;

interface Sample {
  /** Seconds since the part began. */
  at: number;
  heap: number;
  nodes: number;
  listeners: number;
  /** Documents that are still held: one is the page's own. */
  documents: number;
}

export async function live(): Promise<void> {
  const context = await contextOf({});
  const page = await context.newPage();
  const session = await context.newCDPSession(page);
  await session.send("Performance.enable");
  await page.goto(`${server()}/ui/`);
  await page.locator("[data-row]").first().waitFor();
  const requests = counted(page);
  const stop = provoke();
  const half = SECONDS / 2;
  try {
    await part("overview, live", half, session, requests, async () => {
      await page.waitForTimeout(1_000);
    });
    const pages = ["Incidents", "Logs", "Models", "Status", "Overview"];
    let turn = 0;
    await part(
      "going from page to page, live",
      half,
      session,
      requests,
      async () => {
        await page.locator("nav[aria-label=Pages] a", { hasText: pages[turn % pages.length] }).click();
        await page.locator("main h1").first().waitFor();
        await page.waitForTimeout(1_500);
        turn += 1;
        if (turn % pages.length > 0) return;
        // A service and an incident belong to the round, too.
        for (const way of [
          "[data-row]",
          "main header a[href*='/incidents/'], main header a[href*='/incidents']",
        ]) {
          const link = page.locator(way).first();
          await link.click();
          await page.locator("main h1").first().waitFor();
          await page.waitForTimeout(1_500);
        }
        await page.locator("nav[aria-label=Pages] a", { hasText: "Overview" }).click();
        await page.locator("[data-row]").first().waitFor();
      },
      async () => {
        // The same page is compared with itself.
        await page.locator("nav[aria-label=Pages] a", { hasText: "Overview" }).click();
        await page.locator("[data-row]").first().waitFor();
        await page.waitForTimeout(2_000);
      },
    );
  } finally {
    await stop();
  }
  await context.close();
}

/** How many answers the page asked for since the last time. */
function counted(page: Page): () => number {
  let count = 0;
  page.on("request", () => {
    count += 1;
  });
  return () => {
    const since = count;
    count = 0;
    return since;
  };
}

async function part(
  name: string,
  seconds: number,
  session: CDPSession,
  requests: () => number,
  doing: () => Promise<void>,
  before: () => Promise<void> = async () => {},
): Promise<void> {
  const began = Date.now();
  const samples: Sample[] = [];
  requests();
  let answers = 0;
  for (let number = 1; number <= SAMPLES; number++) {
    const until = began + (seconds * 1000 * number) / SAMPLES;
    while (Date.now() < until) await doing();
    await before();
    answers += requests();
    const sample = { ...(await measured(session)), at: (Date.now() - began) / 1000 };
    samples.push(sample);
    const { at, heap, nodes, listeners, documents } = sample;
    console.log(
      `${name}, ${at.toFixed(0)} s: heap ${MB(heap)}, ${nodes} nodes, ${listeners} listeners, ${documents} documents`,
    );
  }
  if (answers === 0) throw new Error(`${name}: nothing was asked for; nothing is live`);
  const warm = samples.filter(({ at }) => at > seconds * WARM_UP_SHARE);
  const third = Math.max(1, Math.floor(warm.length / 3));
  const [first, last] = [warm.slice(0, third), warm.slice(-third)];
  const of = (some: Sample[], what: Exclude<keyof Sample, "at">) =>
    median(some.map((sample) => sample[what]));
  const grown = of(last, "heap") - of(first, "heap");
  const share = grown / of(first, "heap");
  const each = slope(warm.map(({ at, heap }) => [at / 60, heap]));
  await figure(
    `heap, ${name}, ${Math.round(seconds / 60)} min`,
    `${MB(of(first, "heap"))}, then ${MB(of(last, "heap"))} (${grown < 0 ? "−" : "+"}${MB(Math.abs(grown))}, ${(100 * share).toFixed(1)} %; ${MB(each)} a minute by its slope); nodes ${of(first, "nodes")}, then ${of(last, "nodes")}; listeners ${of(first, "listeners")}, then ${of(last, "listeners")}; ${answers} requests`,
    `growth ≤ ${GROWTH_MAX_SHARE * 100} % and ≤ ${GROWTH_MAX_BYTES / 1e6} MB, last third against first, ${Math.round(WARM_UP_SHARE * 100)} % of warm-up`,
    share <= GROWTH_MAX_SHARE && grown <= GROWTH_MAX_BYTES,
  );
}

/** What is left when all that nobody holds is gone. */
async function measured(session: CDPSession): Promise<Omit<Sample, "at">> {
  await session.send("HeapProfiler.collectGarbage");
  await session.send("HeapProfiler.collectGarbage");
  const { metrics } = await session.send("Performance.getMetrics");
  const value = (name: string) => metrics.find((metric) => metric.name === name)?.value ?? Number.NaN;
  return {
    heap: value("JSHeapUsedSize"),
    nodes: value("Nodes"),
    listeners: value("JSEventListeners"),
    documents: value("Documents"),
  };
}

/** Lets things happen until it is told to end: comments on incidents, faults that begin and end. */
function provoke(): () => Promise<void> {
  let isOver = false;
  const all = (async () => {
    const { items: services } = await asked<{ items: { id: string }[] }>("/services");
    const open = await unresolved(50);
    let lastFault = 0;
    for (let turn = 0; !isOver; turn++) {
      const incident = open[turn % open.length];
      if (incident) await comment(incident.id, `note ${turn} of what was seen`);
      if (Date.now() - lastFault > FAULT_MS) {
        lastFault = Date.now();
        const service = services[(turn * 7) % services.length];
        if (service) await fault(service.id, "90s");
      }
      await new Promise((done) => setTimeout(done, COMMENT_MS));
    }
  })();
  return async () => {
    isOver = true;
    await all;
  };
}
