import { expect, test } from "vitest";
import { service } from "@/api/service-fixture.ts";
import type { Service } from "@/api/services.ts";
import { found } from "./found.ts";

const names = (text: string, services: Service[]) => found(text, services).map(({ name }) => name);

test("without a text there are the pages, then the services, worst first as they come", () => {
  expect(names("", [service("payments", "critical"), service("catalog")])).toEqual([
    "Overview",
    "Incidents",
    "Logs",
    "Models & data",
    "Status",
    "payments",
    "catalog",
  ]);
});

test("names that begin with the text come before those that contain it", () => {
  expect(names("Pay", [service("card-payments", "critical"), service("payments")])).toEqual([
    "payments",
    "card-payments",
    "Incidents with the text “Pay”",
  ]);
});

test("incidents can be asked for whatever the text", () => {
  expect(found("  no such thing ", [])).toEqual([
    {
      kind: "incidents",
      id: "incidents",
      name: "Incidents with the text “no such thing”",
      text: "no such thing",
    },
  ]);
});

test("thousands of services give a list that can be read", () => {
  const many = Array.from({ length: 2000 }, (_, at) => service(`service-${at}`));
  expect(found("service", many)).toHaveLength(31);
});
