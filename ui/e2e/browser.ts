/** A browser for tests: one process for a file, a context and a page for each visit. */
import { mkdir } from "node:fs/promises";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { afterAll, test as base, expect, inject } from "vitest";
import type { Person } from "./server.ts";

export type Look = { scheme?: "light" | "dark"; width?: number; height?: number };

/** As whom one comes. */
export type Who = {
  /** The name that is given where there is no access control. */
  operator?: string;
  /** Who is logged in. */
  person?: Person;
};

export type How = Look &
  Who & {
    /** Another server than the demo. */
    at?: string;
    /** Before anything is loaded. */
    prepare?: (page: Page) => Promise<unknown>;
  };

export type Visit = (path: string, how?: How) => Promise<Page>;

const SHOTS = new URL("../shots/", import.meta.url).pathname;
/** A page has what it shows. */
const SETTLED_MS = 20_000;

let browser: Promise<Browser> | undefined;

export function launched(): Promise<Browser> {
  browser ??= chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    // As root, as in containers, it has no sandbox; what it looks at is our own.
    args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
  });
  return browser;
}

export async function closed(): Promise<void> {
  await (await browser)?.close();
  browser = undefined;
}

export async function contextOf({
  scheme = "light",
  width = 1240,
  height = 900,
}: Look): Promise<BrowserContext> {
  return (await launched()).newContext({
    viewport: { width, height },
    colorScheme: scheme,
    reducedMotion: "reduce",
    locale: "en-GB",
    timezoneId: "Europe/Berlin",
  });
}

/** Until the page has its heading, and no part of it is loading, also of those that wait to be scrolled to. */
export async function settled(page: Page): Promise<void> {
  await page.locator("h1").first().waitFor({ timeout: SETTLED_MS });
  await page.waitForFunction(
    () => {
      const loading = [...document.querySelectorAll("[role=status]")].find((part) =>
        part.textContent?.startsWith("Loading "),
      );
      loading?.scrollIntoView({ block: "center" });
      if (!loading) window.scrollTo({ top: 0 });
      return !loading;
    },
    undefined,
    { timeout: SETTLED_MS },
  );
}

/** Calls back with all that the browser complains of. */
async function listen(page: Page, complain: (what: string) => void): Promise<void> {
  page.on("pageerror", (error) => complain(`uncaught: ${error.stack ?? error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error") complain(`console: ${message.text()} (${message.location().url})`);
  });
  // Also where only a report is made of it.
  await page.addInitScript(() => {
    document.addEventListener("securitypolicyviolation", (event) => {
      console.error(
        `forbidden by the policy: ${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}`,
      );
    });
  });
}

export const test = base.extend<{ expected: RegExp[]; visit: Visit }>({
  /** Complaints that the test means to cause. */
  // biome-ignore lint/correctness/noEmptyPattern: a fixture takes its needs from the first argument
  expected: async ({}, use) => {
    await use([]);
  },
  /** Opens an address below `/ui`, of the demo where no other server is named by `at`. */
  visit: async ({ task, expected }, use) => {
    const complaints: string[] = [];
    const contexts: BrowserContext[] = [];
    const pages: Page[] = [];
    await use(async (path, { at = inject("demo"), operator, person, prepare, ...look } = {}) => {
      const context = await contextOf(look);
      contexts.push(context);
      if (operator) {
        await context.addInitScript((name) => localStorage.setItem("bellwether.operator", name), operator);
      }
      if (person) {
        const { name, password } = person;
        const answer = await context.request.post(`${at}/api/v1/login`, { data: { name, password } });
        expect(answer.status(), `${person.name} logs in`).toBe(200);
      }
      const page = await context.newPage();
      pages.push(page);
      await listen(page, (what) => complaints.push(`${path}: ${what}`));
      await prepare?.(page);
      streams.set(
        page,
        page.waitForResponse(/\/api\/v1\/stream/).catch(() => null),
      );
      await page.goto(`${at}/ui${path}`);
      await settled(page);
      return page;
    });
    const unexpected = complaints.filter((what) => !expected.some((meant) => meant.test(what)));
    if (task.result?.state === "fail" || unexpected.length > 0) await photograph(task.name, pages);
    for (const page of pages) {
      if (!page.isClosed()) await page.unrouteAll({ behavior: "ignoreErrors" });
    }
    for (const context of contexts) await context.close();
    expect(unexpected, "complaints of the browser").toEqual([]);
  },
});

async function photograph(name: string, pages: Page[]): Promise<void> {
  await mkdir(SHOTS, { recursive: true });
  const file = name.replace(/[^a-z0-9]+/gi, "-").toLowerCase();
  for (const [index, page] of pages.entries()) {
    if (!page.isClosed())
      await page.screenshot({ path: `${SHOTS}failed-${file}-${index}.png`, fullPage: true });
  }
}

const streams = new WeakMap<Page, Promise<unknown>>();

/** Once the page hears the server; asks later whether it is still the same page, never loaded anew. */
export async function follows(page: Page): Promise<() => Promise<boolean>> {
  expect(await streams.get(page), "the stream was answered").toBeTruthy();
  await page.evaluate(() => document.documentElement.setAttribute("data-same", ""));
  return () => page.evaluate(() => document.documentElement.hasAttribute("data-same"));
}

afterAll(closed);
