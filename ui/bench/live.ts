/** Memory while pages are live: one stays on the overview, beside it another goes from page to page. */
import type { Page } from "playwright-core";
import { contextOf } from "../e2e/browser.ts";
import { figure, MB, median, slope } from "./figures.ts";
import { asked, comment, fault, server, unresolved } from "./server.ts";

const SECONDS = Number(process.env.LIVE_SECONDS ?? 600);
const SAMPLES = 20;
/** A comment so often, besides what the fleet's ticks change. */
const COMMENT_MS = 3_000;
const FAULT_MS = 45_000;
const LOOK_MS = 1_000;
/** Growth that is none: it is within what two collections differ by. */
const GROWTH_MAX_BYTES = 2_000_000;
const GROWTH_MAX_SHARE = 0.05;

interface Watching {
  name: string;
  /** Of all the time: what comes first fills caches, and is not compared. */
  warmUp: number;
  /** Whatever it does, it ends on the overview. */
  doing: (page: Page) => Promise<void>;
}

interface Sample {
  seconds: number;
  heap: number;
  nodes: number;
  listeners: number;
}

const STAYING: Watching = {
  name: "overview",
  warmUp: 0.15,
  doing: (page) => page.waitForTimeout(LOOK_MS),
};

/** Answers that nobody looks at any more are kept for five minutes: until then their number grows. */
const GOING: Watching = { name: "going from page to page", warmUp: 0.55, doing: round };

export async function live(): Promise<void> {
  const stop = provoke();
  try {
    const samples = await Promise.all([watched(STAYING), watched(GOING)]);
    await judged(STAYING, samples[0]);
    await judged(GOING, samples[1]);
  } finally {
    await stop();
  }
}

async function round(page: Page): Promise<void> {
  for (const name of ["Incidents", "Logs", "Models", "Status", "Overview"]) {
    await page.locator("nav[aria-label=Pages] a", { hasText: name }).click();
    await looked(page);
  }
  await page.locator("[data-row]").first().click();
  await looked(page);
  await page.locator("nav[aria-label=Pages] a", { hasText: "Incidents" }).click();
  await page.locator("tr[aria-rowindex='2'] a").click();
  await looked(page);
  await page.locator("nav[aria-label=Pages] a", { hasText: "Overview" }).click();
  await page.locator("[data-row]").first().waitFor();
  await looked(page);
}

async function looked(page: Page): Promise<void> {
  await page.locator("main h1").first().waitFor();
  await page.waitForTimeout(LOOK_MS);
}

async function watched({ name, doing }: Watching): Promise<Sample[]> {
  const context = await contextOf({});
  const page = await context.newPage();
  let requests = 0;
  page.on("request", () => {
    requests += 1;
  });
  await page.goto(`${server()}/ui/`);
  await page.locator("[data-row]").first().waitFor();
  const opening = requests;
  const began = Date.now();
  const samples: Sample[] = [];
  for (let number = 1; number <= SAMPLES; number++) {
    const until = began + (SECONDS * 1000 * number) / SAMPLES;
    do await doing(page);
    while (Date.now() < until);
    const sample = { seconds: (Date.now() - began) / 1000, ...(await measured(page)) };
    samples.push(sample);
    const { seconds, heap, nodes, listeners } = sample;
    console.log(
      `${name}, ${seconds.toFixed(0)} s: heap ${MB(heap)}, ${nodes} nodes, ${listeners} listeners, ${requests} requests`,
    );
  }
  await context.close();
  if (requests === opening) throw new Error(`${name}: nothing was asked for since it was opened`);
  return samples;
}

async function judged({ name, warmUp }: Watching, samples: Sample[]): Promise<void> {
  const warm = samples.filter(({ seconds }) => seconds > SECONDS * warmUp);
  const third = Math.max(1, Math.floor(warm.length / 3));
  const [first, last] = [warm.slice(0, third), warm.slice(-third)];
  const of = (some: Sample[], what: keyof Sample) => median(some.map((sample) => sample[what]));
  const [before, after] = [of(first, "heap"), of(last, "heap")];
  const [grown, share] = [after - before, after / before - 1];
  const each = slope(warm.map(({ seconds, heap }) => [seconds / 60, heap]));
  const sign = grown < 0 ? "−" : "+";
  await figure(
    `heap, live, ${name}, ${Math.round(SECONDS / 6) / 10} min of which the first ${Math.round(warmUp * 100)} % warm up`,
    [
      `${MB(before)}, then ${MB(after)}: ${sign}${MB(Math.abs(grown))}, ${sign}${Math.abs(100 * share).toFixed(1)} %, slope ${MB(each)} a minute`,
      `${of(first, "nodes")} nodes, then ${of(last, "nodes")}`,
      `${of(first, "listeners")} listeners, then ${of(last, "listeners")}`,
    ].join("; "),
    `last third ≤ first third + ${GROWTH_MAX_SHARE * 100} % and + ${GROWTH_MAX_BYTES / 1e6} MB`,
    share <= GROWTH_MAX_SHARE && grown <= GROWTH_MAX_BYTES,
  );
}

/** What is left when all that nobody holds is gone. */
async function measured(page: Page): Promise<Omit<Sample, "seconds">> {
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable");
  await session.send("HeapProfiler.collectGarbage");
  await session.send("HeapProfiler.collectGarbage");
  const { metrics } = await session.send("Performance.getMetrics");
  const value = (name: string) => metrics.find((metric) => metric.name === name)?.value ?? Number.NaN;
  await session.detach();
  return {
    heap: value("JSHeapUsedSize"),
    nodes: value("Nodes"),
    listeners: value("JSEventListeners"),
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
