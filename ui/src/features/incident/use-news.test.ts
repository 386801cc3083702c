import { expect, test } from "vitest";
import { incident } from "./fixture.ts";
import { news } from "./use-news.ts";

const entry = (actor: string) => ({
  at: incident.opened_ts,
  actor,
  event: "commented" as const,
  text: "looking",
});

test("what others did is news, what one did oneself isn't", () => {
  const timeline = [
    ...incident.timeline,
    entry("kim (unverified)"),
    entry("mara (unverified)"),
    entry("mara"),
  ];
  expect(news(timeline, incident.timeline.length, "mara").map(({ actor }) => actor)).toEqual([
    "kim (unverified)",
  ]);
  expect(news(timeline, timeline.length, "mara")).toEqual([]);
});
