import { expect, test } from "vitest";
import { incident } from "./fixture.ts";
import { strip } from "./when.ts";

test("the four times are on one axis, the onset with how sure it is", () => {
  const { moments, between, isCut } = strip(incident, "2026-11-23T07:36:15.000Z");
  expect(moments.map(({ name }) => name)).toEqual([
    "Onset, estimated",
    "First over High",
    "Opened",
    "Last seen",
  ]);
  expect(moments[0]?.within).toBe("± 2\u202fs");
  const places = moments.map(({ place }) => place);
  expect(places).toEqual(places.toSorted((a, b) => a - b));
  expect(places[3]).toBe(100);
  expect(between?.from).toBe(0);
  expect(isCut).toBe(true);
});

test("the beginning of a long incident can still be seen", () => {
  const { moments } = strip(incident, "2026-11-24T07:36:15.000Z");
  expect(moments[2]?.place).toBe(55);
});

test("what has ended has an end instead of being seen last", () => {
  const { moments } = strip(
    { ...incident, ended_ts: "2026-11-23T07:35:00.000Z" },
    "2026-11-23T07:36:15.000Z",
  );
  expect(moments[3]).toMatchObject({ name: "Ended", place: 100 });
});

test("an incident of which all times are one has an axis", () => {
  const at = incident.opened_ts;
  const one = { ...incident, onset_ts: at, first_crossing_ts: at, explanation: undefined };
  expect(strip(one, at).moments.every(({ place }) => Number.isFinite(place))).toBe(true);
});
