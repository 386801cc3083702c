import { expect, test } from "vitest";
import { filterOf, isFiltered, sortedBy, sorting } from "./filter.ts";

const now = Date.parse("2026-11-23T08:00:00.000Z");

test("without a filter the unresolved are asked for, the newest first", () => {
  expect(filterOf({}, null, now)).toMatchObject({ status: ["OPEN", "ACKNOWLEDGED"], sort: "-opened" });
  expect(isFiltered({ sort: "service" })).toBe(false);
});

test("what the address says is what the server is asked", () => {
  const asked = {
    status: "RESOLVED",
    severity: "Critical",
    service: "payments",
    metric: "lat",
    text: "pool",
    range: "1h",
  };
  expect(filterOf(asked, null, now)).toMatchObject({
    status: ["RESOLVED"],
    severity: ["Critical"],
    service: "payments",
    metric: "lat",
    text: "pool",
    from: "1795417200",
    to: "1795420800",
  });
  expect(filterOf({ status: "all" }, null, now).status).toBeUndefined();
  expect(isFiltered(asked)).toBe(true);
});

test("owners are me, nobody, or a name", () => {
  expect(filterOf({ owner: "me" }, "mara", now).owner).toBe("mara");
  expect(filterOf({ owner: "nobody" }, "mara", now).owner).toBe("");
  expect(filterOf({ owner: "kim" }, "mara", now).owner).toBe("kim");
});

test("what can't be understood is as if it were not there", () => {
  expect(
    filterOf({ status: "odd", severity: "odd", range: "odd", kind: "odd", sort: "odd" }, null, now),
  ).toEqual(filterOf({}, null, now));
});

test("a heading turns its column round, and begins with what matters", () => {
  expect(sorting({})).toEqual({ by: "opened", isDescending: true });
  expect(sortedBy({}, "opened")).toBe("opened");
  expect(sortedBy({ sort: "opened" }, "opened")).toBe("-opened");
  expect(sortedBy({}, "severity")).toBe("-severity");
  expect(sortedBy({}, "service")).toBe("service");
});
