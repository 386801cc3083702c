import { renderHook, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { Toasts } from "@/components/toasts.tsx";
import { incident } from "./fixture.ts";
import { news, useNews } from "./use-news.ts";

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

test("an entry that comes while the page is open is announced, those that were there aren't", () => {
  const { rerender } = renderHook(({ now }) => useNews(now, "mara"), {
    initialProps: { now: incident },
    wrapper: Toasts,
  });
  expect(screen.getByRole("status")).toBeEmptyDOMElement();
  rerender({ now: { ...incident, timeline: [...incident.timeline, entry("kim (unverified)")] } });
  expect(screen.getByRole("status")).toHaveTextContent("kim (unverified): looking");
});
