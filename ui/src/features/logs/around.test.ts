import { expect, test } from "vitest";
import type { LogLine } from "@/api/logs.ts";
import { neighbourQuestions, neighbours } from "./around.ts";

const at = (millisecond: number, message: string): LogLine => ({
  time: new Date(Date.parse("2026-11-23T07:23:08.000Z") + millisecond).toISOString(),
  level: "INFO",
  logger: "demo.payments.PaymentsController",
  message,
  exception: null,
  stack_trace: null,
  trace_id: null,
  span_id: null,
  cut: false,
});
const words = (lines: LogLine[]) => lines.map(({ message }) => message);

test("a line is not its own neighbour, and those of its millisecond keep their places", () => {
  const line = at(5, "c");
  const found = neighbours(
    line,
    [at(5, "d"), line, at(5, "b"), at(1, "a")],
    [at(5, "b"), line, at(5, "d"), at(9, "e")],
  );
  expect([words(found.before), words(found.after)]).toEqual([
    ["a", "b"],
    ["d", "e"],
  ]);
});

test("there are five on each side at most", () => {
  const line = at(0, "line");
  const many = [1, 2, 3, 4, 5, 6, 7];
  const before = many.map((step) => at(-step, `${-step}`));
  const after = many.map((step) => at(step, `${step}`));
  const found = neighbours(line, [line, ...before], [line, ...after]);
  expect(words(found.before)).toEqual(["-5", "-4", "-3", "-2", "-1"]);
  expect(words(found.after)).toEqual(["1", "2", "3", "4", "5"]);
});

test("neighbours are asked for within ten minutes, without what was searched for", () => {
  const line = at(500, "line");
  const from = (text: string) => Date.parse(line.time) / 1000 - Number(text);
  const { before, after } = neighbourQuestions("payments", line);
  expect(before).toEqual({ service: "payments", from: before.from, to: before.to, order: "newest" });
  expect([before.from, before.to, after.from, after.to].map(from)).toEqual([600, 0, 0, -600]);
  expect(after.order).toBe("oldest");
});
