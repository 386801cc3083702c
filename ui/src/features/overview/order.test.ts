import { expect, test } from "vitest";
import { isOther, type Place, settled } from "./order.ts";

const places = (text: string): Place[] =>
  text
    .split(" ")
    .filter(Boolean)
    .map((one) => ({ id: one.slice(1), group: one.charAt(0) }));

const shown = places("capi hpay ncat");

test("without a hand on it the wanted order is taken", () => {
  const wanted = places("cpay capi ncat");
  expect(settled(shown, wanted, false)).toBe(wanted);
});

test("while held nothing moves, also not into another group", () => {
  const wanted = places("cpay capi ncat");
  expect(settled(shown, wanted, true)).toBe(shown);
  expect(isOther(shown, wanted)).toBe(true);
});

test("while held what is gone leaves and what is new comes at the end", () => {
  expect(settled(shown, places("cnew hpay ncat"), true)).toEqual(places("hpay ncat cnew"));
});

test("the same order in the same groups is no other", () => {
  expect(isOther(shown, places("capi hpay ncat"))).toBe(false);
  expect(isOther(shown, places("capi cpay ncat"))).toBe(true);
  expect(isOther(shown, places("capi hpay"))).toBe(true);
});
