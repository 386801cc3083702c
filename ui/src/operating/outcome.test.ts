import { expect, test } from "vitest";
import { incident } from "@/api/incident-fixture.ts";
import { expected, refusal, undoing } from "./outcome.ts";

const now = Date.parse("2026-11-23T08:00:00.000Z");
const open = incident({ id: 7 });

test("an acknowledgement leaves the owner as it was", () => {
  expect(expected(open, { do: "ack" }, "mara", now)).toMatchObject({ status: "ACKNOWLEDGED", owner: null });
  expect(expected({ ...open, owner: "kim" }, { do: "ack" }, "mara", now).owner).toBe("kim");
});

test("a resolution, a snooze and a severity are shown as they will be", () => {
  const resolved = expected(open, { do: "resolve", note: "rolled back" }, "mara", now);
  expect(resolved.resolution).toEqual({
    at: "2026-11-23T08:00:00.000Z",
    by: "mara",
    note: "rolled back",
    decommissioned: false,
  });
  expect(expected(resolved, { do: "reopen" }, "mara", now)).toMatchObject({
    status: "OPEN",
    resolution: null,
  });
  const snoozed = expected(open, { do: "snooze", for: "2h" }, "mara", now);
  expect(snoozed.snoozed).toEqual({ by: "mara", until: "2026-11-23T10:00:00.000Z" });
  expect(expected(snoozed, { do: "snooze", until: null }, "mara", now).snoozed).toBeNull();
  const critical = expected(open, { do: "severity", severity: "Critical" }, "mara", now);
  expect(critical).toMatchObject({ severity: "Critical", severity_set: true });
  expect(expected(critical, { do: "severity", severity: null }, "mara", now)).toEqual(open);
});

test("only a resolution can be undone, and an acknowledgement comes back with it", () => {
  expect(undoing(open, { do: "ack" })).toBeNull();
  expect(undoing(open, { do: "resolve" })?.map((step) => step.do)).toEqual(["reopen"]);
  expect(undoing({ ...open, status: "ACKNOWLEDGED" }, { do: "resolve" })?.map((step) => step.do)).toEqual([
    "reopen",
    "ack",
  ]);
});

test("a refusal says why", () => {
  expect(refusal(open, 409, "it is resolved")).toBe("#7 payments stays as it was: it is resolved");
  expect(refusal(open, 412, "revision 4")).toContain("somebody changed it meanwhile");
  expect(refusal(open, 403, "viewers may only read")).toContain("you may not change it");
});
