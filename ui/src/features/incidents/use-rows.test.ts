import { act, renderHook } from "@testing-library/react";
import { expect, test } from "vitest";
import { incident } from "@/api/incident-fixture.ts";
import type { Incident } from "@/api/incidents.ts";
import { useRows } from "./use-rows.ts";

const some = (...ids: number[]) => ids.map((id) => incident({ id }));

function shown(incidents: Incident[], question: string, isHeld: boolean) {
  const { result, rerender } = renderHook((now: Parameters<typeof useRows>) => useRows(...now), {
    initialProps: [incidents, question, isHeld],
  });
  return {
    ids: () => result.current.rows.map((row) => row.incident.id),
    fresh: () => result.current.fresh,
    take: () => act(() => result.current.take()),
    now: (...next: Parameters<typeof useRows>) => rerender(next),
  };
}

test("while somebody points, what is new waits until it is asked for", () => {
  const list = shown(some(2, 1), "open", true);
  list.now(some(3, 2, 1), "open", true);
  expect([list.ids(), list.fresh()]).toEqual([[2, 1], 1]);
  list.take();
  expect([list.ids(), list.fresh()]).toEqual([[3, 2, 1], 0]);
  list.now(some(4, 3, 2, 1), "open", true);
  expect([list.ids(), list.fresh()]).toEqual([[3, 2, 1], 1]);
});

test("nobody points: what is new is there at once", () => {
  const list = shown(some(2, 1), "open", false);
  list.now(some(3, 2, 1), "open", false);
  expect(list.ids()).toEqual([3, 2, 1]);
});

test("what waited comes when the pointer leaves, and another question is answered anew", () => {
  const list = shown(some(2, 1), "open", true);
  list.now(some(3, 2, 1), "open", true);
  list.now(some(3, 2, 1), "open", false);
  expect(list.ids()).toEqual([3, 2, 1]);
  list.now(some(9), "resolved", true);
  expect(list.ids()).toEqual([9]);
});
