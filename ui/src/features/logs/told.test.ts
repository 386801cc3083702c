import { expect, test } from "vitest";
import type { LogLine } from "@/api/logs.ts";
import { depth, exactly, exactlyUtc, nextError, pieces, placeOf, shortName } from "./told.ts";

const line: LogLine = {
  time: "2026-11-23T07:23:08.897Z",
  level: "ERROR",
  logger: "demo.payments.PaymentsController",
  message: "payments processing failed",
  exception: "java.lang.IllegalStateException",
  stack_trace:
    "java.lang.IllegalStateException: payments ledger inconsistent\n\tat demo.payments.PaymentsService.process(PaymentsService.java:73)\n",
  trace_id: "10336f767233969a1a91b120733590ac",
  span_id: "257696a1712d682b",
  cut: false,
};

const marked = (text: string, searched: string) =>
  pieces(text, searched)
    .map((piece) => (piece.isMarked ? `[${piece.text}]` : piece.text))
    .join("");

test("what was searched for is marked in any case, markup stays text", () => {
  expect(marked("Pool of the pool", "POOL")).toBe("[Pool] of the [pool]");
  expect(marked("<b>bold</b>", "<b>")).toBe("[<b>]bold</b>");
  expect(marked("a.c abc", "a.c")).toBe("[a.c] abc");
  expect(marked("nothing here", "pool")).toBe("nothing here");
  expect(marked("", "pool")).toBe("");
  expect(marked("anything", "")).toBe("anything");
});

test("letters that change their length in lower case move no mark", () => {
  expect(marked("İİ pool", "pool")).toBe("İİ [pool]");
});

test("an exception has a short name, a stack trace its length", () => {
  expect(shortName("java.lang.IllegalStateException")).toBe("IllegalStateException");
  expect(shortName("TimeoutError")).toBe("TimeoutError");
  expect(depth(line.stack_trace ?? "")).toBe(2);
});

test("times have milliseconds, and their day where it isn't today", () => {
  const at = new Date(2026, 10, 23, 14, 2, 10, 7).getTime();
  expect(exactly(at, at)).toBe("14:02:10.007");
  expect(exactly(at, at + 86_400_000)).toBe("23 Nov, 14:02:10.007");
  expect(exactlyUtc("2026-11-23T07:23:08.897Z")).toBe("2026-11-23 07:23:08.897 UTC");
});

test("an instant has its place in either order", () => {
  const times = ["2026-11-23T07:00:00Z", "2026-11-23T07:01:00Z", "2026-11-23T07:02:00Z"].map((time) => ({
    time,
  }));
  const at = Date.parse("2026-11-23T07:00:30Z");
  expect(placeOf(times, at, "oldest")).toBe(1);
  expect(placeOf(times.toReversed(), at, "newest")).toBe(2);
  expect(placeOf(times, at + 3_600_000, "oldest")).toBe(3);
});

test("the next error is found behind the present line", () => {
  const lines = (["INFO", "ERROR", "WARN", "ERROR"] as const).map((level) => ({ level }));
  expect([nextError(lines, -1), nextError(lines, 1), nextError(lines, 3)]).toEqual([1, 3, null]);
});
