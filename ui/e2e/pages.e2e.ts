/** All pages load as they should: no complaint of the browser, none of axe, wherever they are served. */
import { describe, expect, inject } from "vitest";
import { openIncident } from "./api.ts";
import { test } from "./browser.ts";
import { everyPage } from "./every.ts";
import { PEOPLE } from "./people.ts";
import { violations } from "./violations.ts";

describe.each(["light", "dark"] as const)("in %s", (scheme) => {
  test("every page loads without a complaint, and axe finds nothing", async ({ visit }) => {
    const found: string[] = [];
    for (const [name, path] of await everyPage()) {
      const page = await visit(path, { scheme });
      expect(await page.locator("h1").count(), `${name} has one h1`).toBe(1);
      expect(await page.locator("html").getAttribute("data-mantine-color-scheme")).toBe(scheme);
      found.push(...(await violations(page)).map((what) => `${name}: ${what}`));
      await page.context().close();
    }
    expect(found).toEqual([]);
  }, 240_000);
});

test("no page is wider than a phone", async ({ visit }) => {
  for (const [name, path] of await everyPage()) {
    const page = await visit(path, { width: 360, height: 740 });
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    expect(width, name).toBeLessThanOrEqual(360);
    await page.context().close();
  }
}, 120_000);

test("an address that was shared shows the same, and stays after a reload", async ({ visit }) => {
  const address = "/incidents?status=OPEN&sort=-severity";
  const page = await visit(address);
  const shown = await page.locator("h1").first().textContent();
  await page.reload();
  await page.locator("h1").first().waitFor();
  expect(await page.locator("h1").first().textContent()).toBe(shown);
  const url = new URL(page.url());
  expect(url.pathname).toBe("/ui/incidents");
  expect(url.searchParams.get("status")).toBe("OPEN");
  expect(url.searchParams.get("sort")).toBe("-severity");
});

test("from the front door a browser comes to the overview", async ({ visit }) => {
  const page = await visit("/status");
  await page.goto(`${inject("demo")}/`);
  await page.locator("h1").first().waitFor();
  expect(new URL(page.url()).pathname).toBe("/ui/");
});

test("an address that leads nowhere says so", async ({ visit }) => {
  const page = await visit("/status");
  await page.goto(`${inject("demo")}/ui/nowhere`);
  await page.getByText("There is no such page").waitFor();
});

test("behind a path prefix every page loads, and stays below it", async ({ visit }) => {
  const at = inject("prefixed");
  const prefix = new URL(at).pathname;
  for (const path of ["/", "/incidents", "/logs", "/models", "/status"]) {
    const page = await visit(path, { at, person: PEOPLE.vera });
    expect(new URL(page.url()).pathname).toBe(`${prefix}/ui${path}`);
    await page.reload();
    await page.locator("h1").first().waitFor();
    await page.context().close();
  }
  const page = await visit("/", { at, person: PEOPLE.vera });
  const asked: string[] = [];
  page.on("request", (request) => asked.push(new URL(request.url()).pathname));
  await page.getByRole("link", { name: "Incidents" }).first().click();
  await page.waitForURL(`**${prefix}/ui/incidents*`);
  await page.locator("h1").first().waitFor();
  expect(asked.filter((path) => !path.startsWith(`${prefix}/`))).toEqual([]);
}, 120_000);

test("over plain HTTP browsers give no clipboard; a query is copied all the same", async ({ visit }) => {
  const page = await visit(`/incidents/${await openIncident("payments")}`, {
    prepare: (page) =>
      page.addInitScript(() => Object.defineProperty(navigator, "clipboard", { value: undefined })),
  });
  const copy = page.getByRole("button", { name: /^copy query of Latency p99/ }).first();
  await copy.click();
  await copy.getByText("copied").waitFor();
  await page.keyboard.press("/");
  const field = page.getByLabel("Page, service, or text of incidents");
  await field.press("Control+V");
  const query = await copy.getAttribute("title");
  expect(query).toContain("http_server_requests");
  expect(await field.inputValue()).toBe(query);
});
