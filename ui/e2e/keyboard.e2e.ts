/** All of it without a pointer. */
import type { Page } from "playwright-core";
import { describe, expect, onTestFinished } from "vitest";
import { asBefore, asked, known, openIncident } from "./api.ts";
import { test } from "./browser.ts";
import { violations } from "./violations.ts";

/** What has the focus, as assistive technology names it; and whether one sees that it has it. */
function focused(page: Page): Promise<{ name: string; isSeen: boolean }> {
  return page.evaluate(() => {
    const element = document.activeElement;
    if (!(element instanceof HTMLElement)) return { name: "", isSeen: false };
    const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
    const isSeen = (outlineStyle !== "none" && Number.parseFloat(outlineWidth) >= 1) || boxShadow !== "none";
    const name = element === document.body ? "nothing" : element.textContent;
    return { name: element.getAttribute("aria-label") ?? name ?? "", isSeen };
  });
}

function focusedName(page: Page) {
  return expect.poll(async () => (await focused(page)).name);
}

describe("keys", () => {
  test("g i leads to the incidents, j and k through them, Enter to one of them", async ({ visit }) => {
    const page = await visit("/");
    await page.keyboard.press("g");
    await page.keyboard.press("i");
    await page.waitForURL("**/ui/incidents");
    const links = page.getByRole("table", { name: "Incidents" }).getByRole("link");
    await links.nth(2).waitFor();
    const [first = "", second = "", third = ""] = await links.allTextContents();
    await page.keyboard.press("j");
    await focusedName(page).toBe(first);
    expect((await focused(page)).isSeen).toBe(true);
    await page.keyboard.press("j");
    await focusedName(page).toBe(second);
    await page.keyboard.press("j");
    await focusedName(page).toBe(third);
    await page.keyboard.press("k");
    await focusedName(page).toBe(second);
    await page.keyboard.press("Enter");
    await page.waitForURL(/\/incidents\/\d+$/);
    // On its page they go on through the same list.
    const [here] = /\d+$/.exec(page.url()) ?? [];
    await page.getByRole("region", { name: "Timeline" }).waitFor();
    await page.keyboard.press("k");
    await page.waitForURL(
      (url) => /\/incidents\/\d+$/.test(url.pathname) && !url.pathname.endsWith(`/${here}`),
    );
  });

  test("/ searches and goes there, Escape leads back to where one was", async ({ visit }) => {
    const page = await visit("/status");
    await page.getByRole("button", { name: "Search" }).focus();
    await page.keyboard.press("/");
    const search = page.getByRole("dialog", { name: "Search" });
    await search.getByRole("combobox").waitFor();
    await focusedName(page).toBe("");
    expect(await violations(page)).toEqual([]);
    await page.keyboard.press("Escape");
    await search.waitFor({ state: "detached" });
    await focusedName(page).toMatch(/^Search/);

    await page.keyboard.press("/");
    await search.getByRole("combobox").waitFor();
    await page.keyboard.type("catal");
    await search.getByRole("option", { name: /^catalog/ }).waitFor();
    await page.keyboard.press("Enter");
    await page.waitForURL("**/ui/services/catalog");
    await page.getByRole("heading", { level: 1, name: "catalog" }).waitFor();
  });

  test("? shows the keys, and Escape gives the focus back", async ({ visit }) => {
    const page = await visit("/");
    await page.keyboard.press("j");
    const { name } = await focused(page);
    await page.keyboard.press("?");
    const help = page.getByRole("dialog", { name: "Keys" });
    await help.getByText("acknowledge").waitFor();
    expect(await violations(page)).toEqual([]);
    // Nothing behind it is reached meanwhile.
    await page.keyboard.press("g");
    await page.keyboard.press("i");
    await page.keyboard.press("Escape");
    await help.waitFor({ state: "detached" });
    expect(new URL(page.url()).pathname).toBe("/ui/");
    await focusedName(page).toBe(name);
  });

  test("a acknowledges and r resolves, each asked of the API", async ({ visit }) => {
    const id = await openIncident("orders");
    await asBefore(id);
    onTestFinished(() => asBefore(id));
    const page = await visit(`/incidents/${id}`, { operator: "kim" });
    await page.keyboard.press("a");
    await known(id, ({ status }) => status).toBe("ACKNOWLEDGED");
    await page.getByRole("button", { name: "Resolve…" }).focus();
    await page.keyboard.press("r");
    const dialog = page.getByRole("dialog", { name: `Resolve #${id}` });
    await dialog.getByRole("textbox", { name: "Note" }).waitFor();
    expect(await violations(page)).toEqual([]);
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    await focusedName(page).toBe("Resolve…");
    expect((await asked<{ status: string }>(`/api/v1/incidents/${id}`)).status).toBe("ACKNOWLEDGED");

    await page.keyboard.press("r");
    await dialog.waitFor();
    await page.keyboard.type("ran out of connections");
    await page.keyboard.press("Control+Enter");
    await known(id, ({ resolution }) => resolution?.note).toBe("ran out of connections");
  });
});

test("Tab reaches every action of an incident, in the order in which they stand", async ({ visit }) => {
  const id = await openIncident("payments");
  await asBefore(id);
  const page = await visit(`/incidents/${id}`, { operator: "kim" });
  const wanted = ["Acknowledge", "Assign", "Snooze", "Set severity", "Comment…", "Resolve…", "copy link"];
  const reached: string[] = [];
  const unseen: string[] = [];
  for (let presses = 0; presses < 40 && !reached.includes("copy link"); presses += 1) {
    await page.keyboard.press("Tab");
    const { name, isSeen } = await focused(page);
    reached.push(name);
    if (!isSeen) unseen.push(name);
  }
  expect(reached.filter((name) => wanted.includes(name))).toEqual(wanted);
  expect(reached[0]).toBe("To the content");
  expect(unseen).toEqual([]);

  // A menu opens, is walked through, and gives the focus back.
  await page.getByRole("button", { name: "Assign" }).focus();
  await page.keyboard.press("Enter");
  await focusedName(page).toBe("To me");
  // A menu is a layer beside all regions; axe lets only dialogs be that.
  expect(await violations(page, { without: ["region"] })).toEqual([]);
  await page.keyboard.press("Escape");
  await page.getByRole("menu").waitFor({ state: "detached" });
  await focusedName(page).toBe("Assign");
});

test("the dialogs of a service stand axe's test, and give the focus back", async ({ visit }) => {
  const page = await visit("/services/payments", { operator: "kim" });
  for (const [button, dialog] of [
    ["Mute …", /^Mute /],
    ["why, Latency p99", /^Why: /],
  ] as const) {
    await page.getByRole("button", { name: button, exact: true }).first().focus();
    await page.keyboard.press("Enter");
    await page.getByRole("dialog", { name: dialog }).waitFor();
    expect(await violations(page, { within: "[role=dialog]" }), button).toEqual([]);
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await focusedName(page).toBe(button);
  }
});
