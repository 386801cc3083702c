/** An incident from the overview to its end, and what others and the server have to say about it. */
import { describe, expect, onTestFinished } from "vitest";
import { asBefore, elsewhere, incidentOf, known, openIncident } from "./api.ts";
import { follows, test } from "./browser.ts";

/** As the page shows it: times are told apart from the sentence. */
function factOf(summary: string): string {
  return summary.replace(/,? since [\dT:.-]+Z/, "").split("; ")[0] ?? "";
}

describe("the incident of gateway", () => {
  test("from the overview it is read, acknowledged, commented, resolved, and opened again", async ({
    visit,
  }) => {
    const id = await openIncident("gateway");
    await asBefore(id);
    onTestFinished(() => asBefore(id));
    const page = await visit("/", { operator: "kim" });
    await page.getByRole("link", { name: "1 open of gateway" }).click();
    await page.waitForURL(`**/ui/incidents/${id}`);

    const heading = page.getByRole("heading", { level: 1 });
    const isTold = async () =>
      (await heading.textContent())?.includes(factOf((await incidentOf(id)).summary));
    await expect.poll(isTold).toBe(true);
    const { explanation } = await incidentOf(id);

    const pattern = explanation?.logs.items.find(({ change }) => change === "new");
    expect(pattern?.samples[0], "the demo's log has something new").toBeDefined();
    const logs = page.getByRole("region", { name: "What the logs say" });
    const row = logs.getByRole("listitem").filter({ hasText: "NEW" }).first();
    const sample = row.getByText(pattern?.samples[0]?.message ?? "", { exact: true });
    expect(await sample.count()).toBe(0);
    await row.locator("summary").first().click();
    await sample.waitFor();

    await page.getByRole("button", { name: "Acknowledge" }).click();
    await known(id, ({ status }) => status).toBe("ACKNOWLEDGED");
    expect((await incidentOf(id)).timeline?.at(-1)?.actor).toBe("kim (unverified)");
    await page.getByText("acknowledged, no owner").waitFor();

    await page.getByRole("button", { name: "Comment…" }).click();
    await page.getByRole("textbox", { name: "Comment" }).fill("looked at the backend");
    await page.getByRole("dialog").getByRole("button", { name: "Comment" }).click();
    await known(id, ({ timeline }) => timeline?.at(-1)?.text).toContain("looked at the backend");
    const timeline = page.getByRole("region", { name: "Timeline" });
    await timeline.getByText("looked at the backend").waitFor();

    const resolve = async () => {
      await page.getByRole("button", { name: "Resolve…" }).click();
      await page.getByRole("textbox", { name: "Note" }).fill("a slow backend, restarted");
      await page.getByRole("dialog").getByRole("button", { name: "Resolve" }).click();
      await known(id, ({ resolution }) => resolution?.note).toBe("a slow backend, restarted");
      await page.getByText("“a slow backend, restarted”").waitFor();
    };
    await resolve();
    await page.getByRole("button", { name: "Undo" }).click();
    await known(id, ({ status }) => status).toBe("ACKNOWLEDGED");
    await page.getByRole("button", { name: "Take acknowledgement back" }).waitFor();

    await resolve();
    await page.getByRole("button", { name: "Reopen" }).click();
    await known(id, ({ status }) => status).toBe("OPEN");
    await page.getByRole("button", { name: "Acknowledge" }).waitFor();
  });
});

describe("the incident of payments", () => {
  test("what somebody else does is shown and told of without a reload", async ({ visit }) => {
    const id = await openIncident("payments");
    onTestFinished(() => asBefore(id));
    const page = await visit(`/incidents/${id}`, { operator: "kim" });
    const stays = await follows(page);
    const comment = `seen from elsewhere at ${Date.now()}`;
    await elsewhere(id, "comment", { note: comment });
    await page.getByRole("region", { name: "Timeline" }).getByText(comment).waitFor({ timeout: 8_000 });
    await page.getByRole("status").filter({ hasText: "mara" }).getByText(comment).waitFor();
    await elsewhere(id, "assign", { owner: "mara" });
    await page.getByText("owned by mara").waitFor({ timeout: 8_000 });
    expect(await stays()).toBe(true);
  });

  test("what the server refuses is taken back, with why", async ({ visit, expected }) => {
    expected.push(/409 \(Conflict\)/);
    const id = await openIncident("payments");
    await asBefore(id);
    const page = await visit(`/incidents/${id}`, { operator: "kim" });
    await page.route("**/ack", async (route) => {
      // Shown before anything is answered.
      await page.getByText("acknowledged, no owner").waitFor();
      await route.fulfill({
        status: 409,
        contentType: "application/problem+json",
        json: { type: "about:blank", title: "Conflict", status: 409, detail: "it was closed meanwhile" },
      });
    });
    await page.getByRole("button", { name: "Acknowledge" }).click();
    await page.getByText(`#${id} payments stays as it was: it was closed meanwhile`).waitFor();
    await page.getByRole("button", { name: "Acknowledge" }).waitFor();
    await page.getByText("open, no owner").waitFor();
    expect((await incidentOf(id)).status).toBe("OPEN");
  });

  test("who acts without access control is asked for a name once", async ({ visit }) => {
    const id = await openIncident("payments");
    await asBefore(id);
    onTestFinished(() => asBefore(id));
    const page = await visit(`/incidents/${id}`);
    await page.getByRole("button", { name: "Acknowledge" }).click();
    await page.getByRole("dialog", { name: "Your name" }).getByRole("textbox", { name: "Name" }).fill("noor");
    await page.getByRole("button", { name: "Use this name" }).click();
    await known(id, ({ timeline }) => timeline?.at(-1)?.actor).toBe("noor (unverified)");
    await page.reload();
    await page.getByRole("button", { name: "Take acknowledgement back" }).click();
    await known(id, ({ status }) => status).toBe("OPEN");
    expect(await page.getByRole("dialog").count()).toBe(0);
    expect((await incidentOf(id)).timeline?.at(-1)).toMatchObject({
      actor: "noor (unverified)",
      event: "reopened",
    });
  });
});
