import { expect, test } from "vitest";
import { incident } from "@/api/incident-fixture.ts";
import { held, taken } from "./order.ts";

const some = (...ids: number[]) => ids.map((id) => incident({ id }));
const ids = (order: ReturnType<typeof held>) => order.rows.map((row) => row.incident.id);

test("what is new waits above, and what is shown stays where it is", () => {
  const shown = taken(some(3, 2, 1)).rows;
  const order = held(shown, some(5, 4, 3, 2, 1));
  expect(ids(order)).toEqual([3, 2, 1]);
  expect(order.fresh).toBe(2);
  expect(ids(taken(some(5, 4, 3, 2, 1)))).toEqual([5, 4, 3, 2, 1]);
});

test("rows are renewed in place, also where the server sorts them anew", () => {
  const shown = taken(some(3, 2, 1)).rows;
  const order = held(shown, [incident({ id: 1, severity: "Critical" }), ...some(3, 2)]);
  expect(ids(order)).toEqual([3, 2, 1]);
  expect(order.rows[2]?.incident.severity).toBe("Critical");
  expect(order).toMatchObject({ fresh: 0, isBehind: true });
});

test("what the server doesn't list any more stays as it was, and says so", () => {
  const order = held(taken(some(3, 2, 1)).rows, some(3, 1));
  expect(order.rows.map(({ isPast }) => isPast)).toEqual([false, true, false]);
  expect(order).toMatchObject({ fresh: 0, isBehind: false });
});

test("a page more is put behind, not announced", () => {
  const order = held(taken(some(3, 2)).rows, some(4, 3, 2, 1, 0));
  expect(ids(order)).toEqual([3, 2, 1, 0]);
  expect(order.fresh).toBe(1);
});

test("an empty list shows what comes; one of which nothing is left keeps what it has", () => {
  expect(ids(held([], some(2, 1)))).toEqual([2, 1]);
  const order = held(taken(some(2, 1)).rows, some(4, 3));
  expect(ids(order)).toEqual([2, 1]);
  expect(order.fresh).toBe(2);
});
