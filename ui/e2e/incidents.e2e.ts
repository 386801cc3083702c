/** The list of incidents: what is asked of it is in the address, and it holds still under the pointer. */
import type { Page } from "playwright-core";
import { expect, onTestFinished } from "vitest";
import type { Schemas } from "../src/api/client.ts";
import { asBefore, asked, elsewhere, openIncident } from "./api.ts";
import { follows, test } from "./browser.ts";

function numbers(page: Page): Promise<string[]> {
  return page
    .getByRole("table", { name: "Incidents" })
    .getByText(/^#\d+$/)
    .allTextContents();
}

async function listed(query: string): Promise<string[]> {
  const { items } = await asked<Schemas["IncidentPage"]>(`/api/v1/incidents?${query}`);
  return items.map(({ id }) => `#${id}`);
}

test("filters and sorting survive a reload, and going back and forward", async ({ visit }) => {
  const page = await visit("/incidents");
  const all = await listed("status=OPEN,ACKNOWLEDGED&sort=-opened");
  expect(all.length).toBeGreaterThan(2);
  await expect.poll(() => numbers(page)).toEqual(all);

  await page.getByRole("button", { name: "Service" }).click();
  await page.waitForURL("**?sort=service");
  const byName = await listed("status=OPEN,ACKNOWLEDGED&sort=service");
  await expect.poll(() => numbers(page)).toEqual(byName);

  await page.getByRole("combobox", { name: "Status" }).selectOption("Open");
  await page.getByRole("searchbox", { name: "Text" }).fill("payments: Latency");
  await page.waitForURL("**text=payments*");
  const found = await listed("status=OPEN&text=payments%3A+Latency");
  expect(found).toHaveLength(1);
  await expect.poll(() => numbers(page)).toEqual(found);

  const isAsAsked = async () => {
    await expect.poll(() => numbers(page)).toEqual(found);
    expect(await page.getByRole("combobox", { name: "Status" }).inputValue()).toBe("OPEN");
    expect(await page.getByRole("combobox", { name: "Sort" }).inputValue()).toBe("service");
    expect(await page.getByRole("searchbox", { name: "Text" }).inputValue()).toBe("payments: Latency");
    expect(await page.getByRole("columnheader", { name: "Service" }).getAttribute("aria-sort")).toBe(
      "ascending",
    );
  };
  await isAsAsked();
  await page.reload();
  await isAsAsked();

  await page.getByRole("table").getByRole("link").first().click();
  await page.waitForURL(/\/incidents\/\d+$/);
  await page.goBack();
  await isAsAsked();
  // One step for each choice; what is typed is none of its own.
  await page.goBack();
  await expect.poll(() => numbers(page)).toEqual(byName);
  await page.goBack();
  await expect.poll(() => numbers(page)).toEqual(all);
  await page.goForward();
  await page.goForward();
  await isAsAsked();
});

test("a new incident is announced and moves nothing that is pointed at", async ({ visit }) => {
  const id = await openIncident("orders");
  onTestFinished(() => asBefore(id));
  const isNew = { at: false };
  const prepare = (page: Page) =>
    page.route("**/api/v1/incidents?*", async (route) => {
      const answer = await route.fetch();
      const body = (await answer.json()) as Schemas["IncidentPage"];
      // The first of all isn't there at first.
      const items = isNew.at ? body.items : body.items.filter(({ service }) => service !== "payments");
      await route.fulfill({ response: answer, json: { ...body, items } });
    });
  const page = await visit("/incidents?sort=-service", { operator: "kim", prepare });
  const row = page.getByRole("row").filter({ hasText: `#${id}` });
  await row.waitFor();
  expect(await numbers(page)).not.toContain(`#${await openIncident("payments")}`);
  const stays = await follows(page);
  await row.hover();
  const before = await row.boundingBox();

  isNew.at = true;
  await elsewhere(id, "assign", { owner: "mara" });
  await row.getByText("mara").waitFor();
  const announced = page.getByRole("status").getByRole("button", { name: "1 new, show it" });
  await announced.waitFor();
  expect(await row.boundingBox()).toEqual(before);
  expect(await stays()).toBe(true);

  await announced.click();
  await expect.poll(() => numbers(page)).toEqual(await listed("status=OPEN,ACKNOWLEDGED&sort=-service"));
});
