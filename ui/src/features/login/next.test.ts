import { expect, test } from "vitest";
import { pathOf } from "./next.ts";

test("a path of these pages is kept with its filters and range", () => {
  for (const path of ["/", "/incidents?status=OPEN&text=a%20b", "/services/ns%2Fpayments?range=1h#lat"]) {
    expect(pathOf(path)).toBe(path);
  }
});

test("no other origin is led to, however it is written", () => {
  const elsewhere = [
    "https://evil.example/",
    "//evil.example/",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "\t//evil.example",
    "/.//evil.example",
    "/a/..//evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "http:evil.example",
    "//here.invalid@evil.example/",
    "evil.example",
    "",
    undefined,
  ];
  expect(elsewhere.map(pathOf)).toEqual(elsewhere.map(() => "/"));
});

test("what climbs out of the path stays on these pages", () => {
  expect(pathOf("/a/../../../status")).toBe("/status");
});

test("the log-in does not lead to itself", () => {
  expect(pathOf("/login?next=/login")).toBe("/");
});
