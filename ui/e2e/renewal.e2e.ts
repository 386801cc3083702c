/** How pages are renewed: every so many seconds, not at all, live, and after the server was lost. */
import type { Page } from "playwright-core";
import { expect, inject, onTestFinished } from "vitest";
import { follows, test } from "./browser.ts";
import { wireTo } from "./wire.ts";

const WINDOW_MS = 7_000;

async function choose(page: Page, setting: string): Promise<void> {
  await page.getByRole("button", { name: /^Renewal: / }).click();
  await page.getByRole("menuitemradio", { name: setting }).click();
}

/** How often the status, which every page shows, was asked for in a stretch of time. */
async function countedIn(page: Page, milliseconds: number): Promise<number> {
  let count = 0;
  const listen = (request: { url(): string }) => {
    if (new URL(request.url()).pathname === "/api/v1/status") count += 1;
  };
  page.on("request", listen);
  // What is counted is what happens in a time: here, time is the condition.
  await page.waitForTimeout(milliseconds);
  page.off("request", listen);
  return count;
}

test("the interval decides how often is asked, a pause ends it, live opens the stream", async ({ visit }) => {
  const page = await visit("/status");
  await choose(page, "every 2 s");
  const often = await countedIn(page, WINDOW_MS);
  await choose(page, "every 5 s");
  const seldom = await countedIn(page, WINDOW_MS);
  await choose(page, "paused");
  const never = await countedIn(page, WINDOW_MS / 2);
  expect(often).toBeGreaterThanOrEqual(2);
  expect(often).toBeLessThanOrEqual(4);
  // The first comes five seconds after the choice, the second only if counting began late.
  expect(seldom).toBeGreaterThanOrEqual(1);
  expect(seldom).toBeLessThan(often);
  expect(never).toBe(0);

  await page.reload();
  await page.getByRole("button", { name: "Renewal: paused" }).waitFor();
  const stream = page.waitForRequest("**/api/v1/stream");
  await choose(page, "live, as things happen");
  await stream;
  await page.getByRole("button", { name: "Renewal: live" }).waitFor();
});

test("a lost server is told of with since when, and heard again without a reload", async ({
  visit,
  expected,
}) => {
  expected.push(/net::ERR_/);
  const wire = await wireTo(inject("demo"));
  onTestFinished(() => wire.cut());
  const page = await visit("/", { at: wire.url });
  const stays = await follows(page);
  const header = page.getByRole("banner");
  await header.getByText("as of").waitFor();

  await wire.cut();
  await page.getByRole("button", { name: "Renewal: disconnected" }).waitFor();
  await header.getByText(/since \d\d:\d\d:\d\d, data of \d\d:\d\d:\d\d/).waitFor();
  // What was known stays, and says of when it is.
  await page
    .getByText(/Not renewed since \d\d:\d\d:\d\d/)
    .first()
    .waitFor();
  await page.getByRole("link", { name: "payments" }).first().waitFor();

  await wire.mend();
  await header.getByText("as of").waitFor();
  await page.getByRole("button", { name: "Renewal: live" }).waitFor();
  await page
    .getByText(/Not renewed since/)
    .first()
    .waitFor({ state: "detached" });
  expect(await stays()).toBe(true);
});
