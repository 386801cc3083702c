import { expect, test } from "vitest";
import { changeLines, safe } from "./changes.ts";
import { incident } from "./fixture.ts";

test("models of one training are one line, with which they are", () => {
  const lines = changeLines(incident.explanation.what_changed.items);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatchObject({
    kind: "retraining",
    text: "3 of Bellwether's models were made anew",
    of: ["availability", "blocked_threads", "cpu"],
  });
});

test("the time stands before the line, not in it once more", () => {
  const deploy = {
    at: "2026-11-23T07:30:00.000Z",
    kind: "restart",
    posted: false,
    service: "payments",
    text: "payments restarted at 2026-11-23T07:30:00.000Z",
    version: null,
    link: null,
    by: null,
  };
  expect(changeLines([deploy])[0]?.text).toBe("payments restarted");
});

test("links lead to pages only", () => {
  expect(safe("https://ci.example.org/runs/7")).toBe("https://ci.example.org/runs/7");
  expect(safe("javascript:alert(1)")).toBeNull();
  expect(safe(null)).toBeNull();
});
