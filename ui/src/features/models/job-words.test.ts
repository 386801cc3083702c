import { expect, test } from "vitest";
import type { Job } from "@/api/training.ts";
import { outcomesInWords, selectionInWords, stateOf, took, worstFirst } from "./job-words.ts";

const outcome = (metric: string, word: Job["outcomes"][number]["outcome"]): Job["outcomes"][number] => ({
  service: "payments",
  metric,
  outcome: word,
  detail: "2874 rows of 2026-11-21T07:34:00.000Z to 2026-11-23T07:32:00.774Z, 0 masked",
  trained_at: "2026-11-23T07:33:06.321Z",
  rows: 2874,
});

const job: Job = {
  id: "train-1795419185587-12",
  trigger: "backfill",
  selection: { service: "payments", metric: null },
  state: "done",
  created_at: "2026-11-23T07:33:05.587Z",
  started_at: "2026-11-23T07:33:06.321Z",
  finished_at: "2026-11-23T07:33:06.484Z",
  done: 3,
  total: 3,
  outcomes: [outcome("cpu", "trained"), outcome("lat", "failed"), outcome("mem", "trained")],
  error: null,
};

test("a job tells its outcomes, failures first", () => {
  expect(outcomesInWords(job)).toBe("3 series: 2 trained, 1 failed");
  expect(worstFirst(job).map(({ metric }) => metric)).toEqual(["lat", "cpu", "mem"]);
  expect(stateOf(job)).toEqual({ tone: "high", word: "Done, 1 failed" });
});

test("a selection has its words", () => {
  const of = (service: string | null, metric: string | null) =>
    selectionInWords({ ...job, selection: { service, metric } });
  expect([of(null, null), of("payments", null), of("payments", "lat")]).toEqual([
    "all series",
    "payments",
    "payments, lat",
  ]);
});

test("how long it took goes on while it runs", () => {
  const began = Date.parse("2026-11-23T07:33:06.321Z");
  expect(took(job, began)).toBe("163\u202fms");
  expect(took({ ...job, finished_at: null }, began + 12_000)).toBe("12\u202fs");
  expect(took({ ...job, started_at: null }, began)).toBeNull();
});
