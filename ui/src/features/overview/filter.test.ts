import { expect, test } from "vitest";
import { countOf, filtered, statesOf, toggled } from "./filter.ts";
import { groupsOf, inPlace, tileWidth } from "./groups.ts";
import { rowsOf } from "./rows.ts";
import { finding, service } from "./testing.ts";

const rows = rowsOf({
  services: [service("payments", "critical"), service("pay-cache"), service("orders", "high")],
  findings: [finding("payments", "lat", { title: "Latency p99", severity: "Critical" })],
  incidents: [],
  columns: [],
  sparks: new Map(),
});
const ids = (text: string, state?: string) => filtered(rows, text, statesOf(state)).map(({ id }) => id);

test("every word must be found in name, state or worst metric", () => {
  expect(ids("PAY")).toEqual(["payments", "pay-cache"]);
  expect(ids("pay critical")).toEqual(["payments"]);
  expect(ids("latency")).toEqual(["payments"]);
  expect(ids("  ")).toHaveLength(3);
});

test("states of the address select; unknown ones are no states", () => {
  expect(ids("", "high,critical")).toEqual(["payments", "orders"]);
  expect(ids("", "nonsense")).toHaveLength(3);
});

test("a state is switched on and off in the address", () => {
  expect(toggled(undefined, "high")).toBe("high");
  expect(toggled("high", "critical")).toBe("critical,high");
  expect(toggled("high", "high")).toBeUndefined();
});

test("states are counted over all services", () => {
  expect(Object.fromEntries(countOf(rows))).toEqual({ critical: 1, high: 1, normal: 1 });
});

test("groups keep the places that are held, whatever the state is now", () => {
  const places = [
    { id: "orders", group: "normal" },
    { id: "payments", group: "critical" },
    { id: "left", group: "normal" },
  ];
  expect(groupsOf(rows, places).map(({ state, rows: own }) => [state, own.map(({ id }) => id)])).toEqual([
    ["critical", ["payments"]],
    ["normal", ["orders"]],
  ]);
  expect(inPlace(rows, places).map(({ id }) => id)).toEqual(["orders", "payments"]);
});

test("tiles are as wide as nearly all names need, within limits", () => {
  const names = (length: number, count: number) => Array.from({ length: count }, () => "x".repeat(length));
  expect(tileWidth(["a", "b"])).toBe(100);
  expect(tileWidth(names(16, 20))).toBe(129);
  expect(tileWidth([...names(12, 199), "x".repeat(60)])).toBe(101);
  expect(tileWidth(names(60, 20))).toBe(220);
});
