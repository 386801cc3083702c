/** The page of a service: training on request. */
import { expect } from "vitest";
import type { Schemas } from "../src/api/client.ts";
import { asked } from "./api.ts";
import { follows, test } from "./browser.ts";

function jobOf(id: string): Promise<Schemas["Job"]> {
  return asked(`/api/v1/jobs/${id}`);
}

test("a training tells how it goes on, and how it ended", async ({ visit }) => {
  const page = await visit("/services/payments", { operator: "kim" });
  const stays = await follows(page);
  const models = page.getByRole("region", { name: "Models" });
  const told = models.getByRole("status").first();
  const heard: string[] = [];
  await page.exposeFunction("heard", (text: string) => heard.push(text));
  await told.evaluate((element) => {
    new MutationObserver(() => {
      (window as unknown as { heard: (text: string) => void }).heard(element.textContent ?? "");
    }).observe(element, { childList: true, subtree: true, characterData: true });
  });
  // Whoever asks while all services are trained, waits.
  await asked<Schemas["Job"]>("/retrain", { by: "mara" });
  const begun = page.waitForResponse((answer) => new URL(answer.url()).pathname === "/retrain");
  await models.getByRole("button", { name: "Retrain all of them" }).click();
  const { id } = (await (await begun).json()) as Schemas["Job"];
  await expect.poll(async () => (await jobOf(id)).state, { timeout: 30_000 }).toBe("done");

  const { outcomes } = await jobOf(id);
  const trained = outcomes.filter(({ outcome }) => outcome === "trained").length;
  expect(trained).toBeGreaterThan(0);
  await told.getByText(`${trained} trained`).waitFor();
  expect(heard.join("\n")).toMatch(/waits for its turn|trains, \d+ of \d+ done/);
  expect(await stays()).toBe(true);
});
