import { expect, test } from "vitest";
import { titleOf } from "./title.ts";

test("each page has a name of its own", () => {
  expect(["/", "/incidents", "/incidents/42", "/services/ns%2Fpayments", "/models"].map(titleOf)).toEqual([
    "Overview, Bellwether",
    "Incidents, Bellwether",
    "Incident #42, Bellwether",
    "ns/payments, Bellwether",
    "Models & data, Bellwether",
  ]);
  expect(["/nowhere", "/services/%E0%A4%A"].map(titleOf)).toEqual(["Bellwether", "%E0%A4%A, Bellwether"]);
});
