/** How fast the pages are with 200 services and 10,000 incidents; see README.md. */
import { afterAll, test } from "vitest";
import { closed } from "../e2e/browser.ts";
import { interactions } from "./interactions.ts";
import { live } from "./live.ts";
import { paints } from "./paint.ts";
import { unresolved } from "./server.ts";
import { sparklines } from "./sparklines.ts";

afterAll(closed);

const wanted = (process.env.PARTS ?? "paint interactions sparklines live").split(" ");

test.runIf(wanted.includes("paint"))("first contentful paint and JavaScript", async () => {
  const [newest] = await unresolved(1);
  if (!newest) throw new Error("no incident is unresolved");
  await paints([
    ["overview", "/", "[data-row]"],
    ["list of 10,000 incidents", "/incidents?status=all", "tr[aria-rowindex='2']"],
    ["service", `/services/${newest.service}`, "canvas"],
    ["incident", `/incidents/${newest.id}`, "h1"],
  ]);
});

test.runIf(wanted.includes("interactions"))("interaction to next paint", interactions);

test.runIf(wanted.includes("sparklines"))("the lines of all series", sparklines);

test.runIf(wanted.includes("live"))("memory while the pages are live", live);
