import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { GROUPS } from "./help.tsx";

test("the documentation has the same keys", () => {
  const text = readFileSync("../docs/pages.md", "utf8");
  const documented = [...text.matchAll(/^\| `(.+)` \| (.+) \|$/gm)].map(([, key, what]) => [key, what]);
  expect(documented).toEqual(GROUPS.flatMap(({ keys }) => keys));
});
