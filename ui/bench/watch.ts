/** Interactions and long tasks of a page, as the browser tells of them (Event Timing, Long Tasks). */
import type { Page } from "playwright-core";

interface Told {
  steps: { name: string; at: number }[];
  events: { name: string; interaction: number; at: number; took: number; worked: number }[];
  tasks: { at: number; took: number }[];
}

declare global {
  interface Window {
    benchTold: Told;
  }
}

/** The shortest of which Event Timing tells. */
export const SHORTEST_MS = 16;

export interface Interaction {
  step: string;
  /** Of which event, such as `keydown`. */
  event: string;
  /** From the input to the next paint, in steps of 8 ms. */
  took: number;
  /** Of it, in handlers. */
  worked: number;
}

export interface Watched {
  /** Those of at least {@link SHORTEST_MS}. */
  interactions: Interaction[];
  tasks: { step: string; took: number }[];
}

/** Before the page is opened. */
export async function watch(page: Page): Promise<void> {
  await page.addInitScript((shortest) => {
    const told: Told = { steps: [], events: [], tasks: [] };
    window.benchTold = told;
    const events = new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as PerformanceEventTiming[]) {
        const { interactionId: interaction = 0 } = entry as { interactionId?: number };
        if (interaction === 0) continue;
        const { name, startTime: at, duration: took } = entry;
        told.events.push({
          name,
          interaction,
          at,
          took,
          worked: entry.processingEnd - entry.processingStart,
        });
      }
    });
    events.observe({ type: "event", buffered: true, durationThreshold: shortest } as PerformanceObserverInit);
    const tasks = new PerformanceObserver((list) => {
      for (const { startTime: at, duration: took } of list.getEntries()) told.tasks.push({ at, took });
    });
    tasks.observe({ type: "longtask", buffered: true });
  }, SHORTEST_MS);
}

/** What follows is told as this step. */
export async function step(page: Page, name: string): Promise<void> {
  await page.evaluate((name) => {
    window.benchTold.steps.push({ name, at: performance.now() });
  }, name);
}

/** What was told since the page was opened. */
export async function watched(page: Page): Promise<Watched> {
  // Observers are told after the frame.
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 500))));
  const { steps, events, tasks } = await page.evaluate(() => window.benchTold);
  const stepAt = (at: number) => steps.findLast((step) => step.at <= at)?.name ?? "opening";
  // An interaction is as long as the longest of its events: pointerdown, pointerup and click are one.
  const whole = new Map<number, (typeof events)[number]>();
  for (const event of events) {
    const known = whole.get(event.interaction);
    if (!known) whole.set(event.interaction, { ...event });
    else {
      if (event.took > known.took) known.name = event.name;
      known.took = Math.max(known.took, event.took);
      known.worked += event.worked;
    }
  }
  return {
    interactions: [...whole.values()].map(({ name, at, took, worked }) => ({
      step: stepAt(at),
      event: name,
      took,
      worked,
    })),
    tasks: tasks.map(({ at, took }) => ({ step: stepAt(at), took })),
  };
}
