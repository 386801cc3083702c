import { expect, test } from "vitest";
import { service } from "@/api/service-fixture.ts";
import { titleOf } from "./title.ts";

const services = [
  service("ns/payments", "critical"),
  service("ledger", "gone"),
  service("orders", "early_warning"),
];

test("each page has a name of its own", () => {
  const paths = ["/", "/incidents", "/incidents/42", "/services/ns%2Fpayments", "/models", "/login"];
  expect(paths.map((path) => titleOf(path))).toEqual([
    "Overview, Bellwether",
    "Incidents, Bellwether",
    "Incident #42, Bellwether",
    "ns/payments, Bellwether",
    "Models & data, Bellwether",
    "Log in, Bellwether",
  ]);
  expect(titleOf("/nowhere")).toBe("No such page, Bellwether");
  expect(titleOf("/services/%E0%A4%A")).toBe("%E0%A4%A, Bellwether");
});

test("a tab that nobody looks at tells how it stands", () => {
  expect(titleOf("/", { services })).toBe("2 in trouble, Overview, Bellwether");
  expect(titleOf("/", { services: services.slice(2) })).toBe("Overview, Bellwether");
  expect(titleOf("/services/ns%2Fpayments", { services })).toBe("ns/payments: Critical, Bellwether");
  const incident = { service: "orders", status: "OPEN" };
  expect(titleOf("/incidents/7", { incident })).toBe("Incident #7 orders, Bellwether");
  expect(titleOf("/incidents/7", { incident: { ...incident, status: "RESOLVED" } })).toBe(
    "Incident #7 orders, resolved, Bellwether",
  );
});
