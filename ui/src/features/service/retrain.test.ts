import { expect, test } from "vitest";
import type { Job } from "@/api/training.ts";
import { isOver, jobInWords } from "./retrain.ts";

const job = (rest: Partial<Job>): Job => ({
  id: "train-1",
  trigger: "request",
  selection: { service: "pay", metric: null },
  state: "running",
  created_at: "2026-11-23T07:00:00.000Z",
  started_at: null,
  finished_at: null,
  done: 0,
  total: 3,
  outcomes: [],
  error: null,
  ...rest,
});

const outcome = (metric: string, word: Job["outcomes"][number]["outcome"], detail: string) => ({
  service: "pay",
  metric,
  outcome: word,
  detail,
  trained_at: null,
  rows: null,
});

test("a job says how far it is", () => {
  expect(jobInWords(job({ state: "waiting" }))).toBe("waits for its turn");
  expect(jobInWords(job({ done: 2 }))).toBe("trains, 2 of 3 done");
  expect([isOver(job({})), isOver(job({ state: "done" })), isOver(job({ state: "failed" }))]).toEqual([
    false,
    true,
    true,
  ]);
});

test("a job that is over says what it came to", () => {
  const one = [outcome("lat", "not_enough_samples", "12 rows, 240 are needed")];
  expect(jobInWords(job({ state: "done", outcomes: one }))).toBe(
    "too few samples to train: 12 rows, 240 are needed",
  );
  const many = [
    outcome("lat", "trained", ""),
    outcome("cpu", "trained", ""),
    outcome("heap", "kept_old", ""),
  ];
  expect(jobInWords(job({ state: "done", outcomes: many }))).toBe("2 trained, 1 the older model was kept");
  expect(jobInWords(job({ state: "failed", error: "disk full" }))).toBe("failed: disk full");
});
