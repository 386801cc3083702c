import { expect, test } from "vitest";
import { Problem } from "@/api/client.ts";
import { refusalOf, waitInWords } from "./refusal.ts";

const refused = (status: number, wait: number | null = null) =>
  refusalOf(new Problem(status, "title", "detail", undefined, wait));

test("each refusal is told in words, with how long to wait", () => {
  expect(refused(401)).toEqual({ text: "Name or password is wrong.", waitMs: 0 });
  expect(refused(429, 120)).toEqual({ text: "Too many wrong attempts came from here.", waitMs: 120_000 });
  expect(refused(503, 1).waitMs).toBe(1000);
  expect(refused(0).text).toContain("does not answer");
  expect(refused(400).text).toBe("detail");
});

test("the wait is told in whole seconds, and not when it is over", () => {
  expect(waitInWords(100_400, 10_000)).toBe("Try again in 1\u202fmin 31\u202fs.");
  expect(waitInWords(10_001, 10_000)).toBe("Try again in 1\u202fs.");
  expect(waitInWords(10_000, 10_000)).toBeNull();
});
