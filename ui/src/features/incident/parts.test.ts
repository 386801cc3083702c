import { expect, test } from "vitest";
import { incident } from "./fixture.ts";
import { heading, ranked } from "./parts.ts";

test("what a part carries comes first, what has one value last", () => {
  const { breakdowns } = incident.explanation.which;
  expect(ranked(breakdowns).map(heading)).toEqual([
    "outgoing calls by client_name: one carries it",
    "server requests by uri: no single one carries it",
    "server requests by status: no single one carries it",
    "server requests by exception: all of it is none",
  ]);
});
