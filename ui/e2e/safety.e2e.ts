/** Whatever services call themselves and write: it is text. */
import type { Page } from "playwright-core";
import { expect, inject } from "vitest";
import { asked, type Incident, openIncident } from "./api.ts";
import { test } from "./browser.ts";

const HOSTILE = '<img src=x onerror="alert(1)"><script>alert(2)</script>';

/** What the page made of it, besides text. */
async function isText(page: Page): Promise<void> {
  expect(await page.locator('img[src="x"]').count()).toBe(0);
  expect(await page.getByText(HOSTILE).count()).toBeGreaterThan(0);
}

test("a hostile log line and a hostile summary are shown as they were written", async ({ visit }) => {
  const id = await openIncident("payments");
  const page = await visit("/status");
  await page.route(`**/api/v1/incidents/${id}`, async (route) => {
    const incident = await asked<Incident>(`/api/v1/incidents/${id}`);
    const [pattern] = incident.explanation?.logs.items ?? [];
    const [line] = pattern?.samples ?? [];
    if (!pattern || !line) throw new Error("the demo has no pattern with a sample");
    pattern.template = HOSTILE;
    line.message = `the line: ${HOSTILE}`;
    line.stack_trace = `java.lang.Error: ${HOSTILE}\n\tat a.B.c(D.java:1)`;
    incident.summary = `payments: ${HOSTILE} is 3 ms; so it is`;
    await route.fulfill({ json: incident });
  });
  await page.goto(`${inject("demo")}/ui/incidents/${id}`);
  await page.getByRole("heading", { level: 1 }).getByText(HOSTILE).waitFor();
  const pattern = page.getByRole("listitem").filter({ hasText: HOSTILE }).first();
  await pattern.locator("summary").first().click();
  await pattern.getByText(`the line: ${HOSTILE}`).waitFor();
  await pattern.locator("summary").filter({ hasText: "java.lang.Error" }).click();
  await isText(page);
});

test("a hostile name of a service and a hostile line of the log are text", async ({ visit }) => {
  const page = await visit("/status");
  await page.route("**/services", async (route) => {
    const answer = await route.fetch();
    const all = (await answer.json()) as { items: { id: string }[] };
    const [first, ...rest] = all.items;
    await route.fulfill({ response: answer, json: { ...all, items: [{ ...first, id: HOSTILE }, ...rest] } });
  });
  await page.goto(`${inject("demo")}/ui/`);
  await page.getByRole("rowheader").getByText(HOSTILE).waitFor();
  await isText(page);

  await page.route("**/api/v1/logs?*", async (route) => {
    const answer = await route.fetch();
    const found = (await answer.json()) as { items: { message: string }[] };
    const [first, ...rest] = found.items;
    await route.fulfill({
      response: answer,
      json: { ...found, items: [{ ...first, message: HOSTILE }, ...rest] },
    });
  });
  await page.unroute("**/services");
  await page.goto(`${inject("demo")}/ui/logs?service=payments`);
  await page.getByText(HOSTILE).filter({ visible: true }).first().waitFor();
  await isText(page);
});

test("the policy of the pages allows nothing inline", async ({ visit, expected }) => {
  expected.push(/Executing inline script violates|forbidden by the policy: script-src-elem inline/);
  const page = await visit("/status");
  const policy = (await page.reload())?.headers()["content-security-policy"] ?? "";
  expect(policy).toMatch(/(^|;)\s*default-src 'none'|(^|;)\s*default-src 'self'/);
  expect(policy).toMatch(/style-src [^;]*'nonce-[^']+'/);
  expect(policy).not.toMatch(/unsafe-|data:|\*/);
  // And it is obeyed: what slips in as markup is not run.
  const ran = await page.evaluate(async () => {
    const script = document.createElement("script");
    script.textContent = "window.slippedIn = true";
    document.body.append(script);
    return "slippedIn" in window;
  });
  expect(ran).toBe(false);
});
