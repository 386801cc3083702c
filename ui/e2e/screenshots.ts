/** Every page in light, dark and as wide as a phone, to `shots/`: for looking at. */
import { mkdir } from "node:fs/promises";
import { inject, test } from "vitest";
import { contextOf, type Look, settled } from "./browser.ts";
import { everyPage } from "./every.ts";

const SHOTS = new URL("../shots/", import.meta.url).pathname;
const LOOKS: Record<string, Look> = {
  light: { scheme: "light" },
  dark: { scheme: "dark" },
  phone: { scheme: "light", width: 360, height: 740 },
};
/** Lines and charts are drawn after their data came. */
const DRAWN_MS = 1_000;

test("pictures of every page", async () => {
  await mkdir(SHOTS, { recursive: true });
  for (const [name, path] of await everyPage()) {
    for (const [look, how] of Object.entries(LOOKS)) {
      const context = await contextOf(how);
      const page = await context.newPage();
      await page.goto(`${inject("demo")}/ui${path}`);
      await settled(page);
      // As tall as the page, so that what is drawn only in sight is in sight.
      const height = await page.evaluate(() => document.documentElement.scrollHeight);
      await page.setViewportSize({ width: how.width ?? 1240, height });
      await page.waitForTimeout(DRAWN_MS);
      await page.screenshot({ path: `${SHOTS}${name}-${look}.png`, fullPage: true });
      await context.close();
    }
  }
}, 300_000);
