import { QueryClient } from "@tanstack/react-query";
import { expect, test } from "vitest";
import { progressed, withProgress } from "./progress.ts";

const job = {
  id: "train-1795419185587-12",
  trigger: "request",
  selection: { service: null, metric: null },
  state: "running",
  created_at: "2026-11-23T07:33:05.587Z",
  started_at: "2026-11-23T07:33:06.321Z",
  finished_at: null,
  done: 1,
  total: 78,
  outcomes: [],
  error: null,
} as const;
const pages = { pages: [{ items: [{ ...job, outcomes: [] }], next_cursor: null }], pageParams: [undefined] };
const told = { id: job.id, state: "running", done: 40, total: 78 } as const;

test("progress is written into the job that runs", () => {
  expect(withProgress(pages, told)?.pages[0]?.items[0]?.done).toBe(40);
  expect(withProgress(pages, { ...told, id: "another" })).toBeNull();
});

test("a job that begins or ends is asked for anew", () => {
  const queries = new QueryClient();
  expect(progressed(queries, told)).toBe(false);
  queries.setQueryData(["jobs", 10], pages);
  expect(progressed(queries, { ...told, state: "done" })).toBe(false);
  expect(progressed(queries, { ...told, id: "another" })).toBe(false);
  expect(progressed(queries, null)).toBe(false);
  expect(progressed(queries, told)).toBe(true);
  expect(queries.getQueryData(["jobs", 10])).toMatchObject({ pages: [{ items: [{ done: 40 }] }] });
});
