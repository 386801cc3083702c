/** Coming in and going out, where the server asks who comes. */
import type { Page } from "playwright-core";
import { expect, inject } from "vitest";
import { test } from "./browser.ts";
import { PEOPLE } from "./people.ts";

const at = inject("prefixed");
const WRONG = /401 \(Unauthorized\)/;

async function logIn(page: Page, password: string): Promise<void> {
  await page.getByRole("textbox", { name: "Name" }).fill("kim");
  await page.getByLabel("Password", { exact: true }).fill(password);
  await page.getByRole("button", { name: "Log in" }).click();
}

function addressOf(page: Page): string {
  return page.url().replace(at, "");
}

test("a stranger logs in, after a wrong password, and comes to where they wanted", async ({
  visit,
  expected,
}) => {
  expected.push(WRONG);
  const page = await visit("/incidents?sort=service&status=all", { at });
  await page.getByRole("heading", { name: "Log in" }).waitFor();
  expect(await page.getByRole("navigation").count()).toBe(0);

  await logIn(page, "not the password");
  await page.getByRole("alert").getByText("Name or password is wrong.").waitFor();
  const field = page.getByLabel("Password", { exact: true });
  expect(await field.inputValue()).toBe("");
  expect(await field.evaluate((element) => element === document.activeElement)).toBe(true);

  await logIn(page, PEOPLE.kim.password);
  await page.getByRole("heading", { name: "Incidents" }).waitFor();
  expect(addressOf(page)).toBe("/ui/incidents?sort=service&status=all");
  await page.getByRole("button", { name: "kim: name, look, keys" }).waitFor();
});

test("who logs out sees nothing any more, also after going back", async ({ visit, expected }) => {
  expected.push(WRONG);
  const page = await visit("/status", { at, person: PEOPLE.kim });
  await page.getByRole("button", { name: "kim: name, look, keys" }).click();
  await page.getByRole("menuitem", { name: "Log out" }).click();
  await page.getByRole("heading", { name: "Log in" }).waitFor();
  expect(addressOf(page)).toBe("/ui/login");
  await page.goBack();
  await page.getByRole("heading", { name: "Log in" }).waitFor();
  expect(await page.getByRole("heading", { name: "Status" }).count()).toBe(0);
});

test("a session that ends leads to the log-in, and from there back", async ({ visit, expected }) => {
  expected.push(WRONG);
  const page = await visit("/logs?service=orders&level=WARN", { at, person: PEOPLE.kim });
  const shown = addressOf(page);
  // Another tab of the same browser logs out.
  const answer = await page.context().request.post(`${at}/api/v1/logout`, { data: {} });
  expect(answer.ok()).toBe(true);
  await page.getByText("Your session has ended; log in to go on.").waitFor();

  await logIn(page, PEOPLE.kim.password);
  await page.getByRole("heading", { level: 1 }).getByText("Log in").waitFor({ state: "detached" });
  await page.getByRole("navigation", { name: "Pages" }).waitFor();
  expect(addressOf(page)).toBe(shown);
});

test("a viewer may change nothing, and is told so", async ({ visit }) => {
  const page = await visit("/services/payments", { at, person: PEOPLE.vera });
  await page.getByText("Viewers can't retrain; who may operate can.").waitFor();
  expect(await page.getByRole("button", { name: "Retrain all of them" }).isDisabled()).toBe(true);
  expect(await page.getByRole("button", { name: "Mute …" }).isDisabled()).toBe(true);
});
