import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import type { Job, Model } from "@/api/training.ts";
import { Toasts } from "@/components/toasts.tsx";
import { Models } from "./models.tsx";

const operator = vi.hoisted(() => ({ mayChange: true, named: async () => "mara" }));
vi.mock("@/operating/operator.tsx", () => ({ useOperator: () => operator }));
vi.mock("@/live/live.tsx", () => ({ useLive: () => ({ connection: "open" }) }));
const server = vi.hoisted(() => ({ job: null as unknown, models: [] as unknown[] }));
vi.mock("@/api/training.ts", () => ({
  models: (service: string) => ({ queryKey: ["models", service], queryFn: async () => server.models }),
  jobs: () => ({
    queryKey: ["jobs"],
    queryFn: async () => ({ items: [], next_cursor: null }),
    initialPageParam: undefined,
    getNextPageParam: () => undefined,
  }),
  job: (id: string) => ({ queryKey: ["job", id], queryFn: async () => server.job }),
  retrain: async () => server.job,
}));

const model: Model = {
  service: "pay",
  metric: "lat",
  model: null,
  problem: "its file was written by a newer version",
  last_outcome: {
    job: "train-1",
    at: "2026-11-23T07:00:00.000Z",
    outcome: "not_enough_samples",
    detail: "12 rows, 240 are needed",
  },
  next_training_ts: null,
};

const done: Job = {
  id: "train-2",
  trigger: "request",
  selection: { service: "pay", metric: "lat" },
  state: "done",
  created_at: "2026-11-23T07:00:00.000Z",
  started_at: null,
  finished_at: null,
  done: 1,
  total: 1,
  outcomes: [
    { service: "pay", metric: "lat", outcome: "trained", detail: "2,872 rows", trained_at: null, rows: 2872 },
  ],
  error: null,
};

function show() {
  render(
    <MantineProvider>
      <QueryClientProvider client={new QueryClient()}>
        <Toasts>
          <Models service="pay" findings={[]} />
        </Toasts>
      </QueryClientProvider>
    </MantineProvider>,
  );
}

beforeEach(() => {
  operator.mayChange = true;
  server.models = [model];
  server.job = done;
});

test("a series without a model says what came of training, and what is wrong", async () => {
  show();
  expect(await screen.findByText(/No model yet/)).toBeInTheDocument();
  expect(screen.getByText(/too few samples to train/)).toHaveTextContent("12 rows, 240 are needed");
  expect(screen.getByText(/written by a newer version/)).toBeInTheDocument();
});

test("retraining ends with its outcome in words", async () => {
  show();
  await userEvent.click(await screen.findByRole("button", { name: "Retrain lat" }));
  expect(await screen.findByText("trained: 2,872 rows")).toBeInTheDocument();
});

test("while it trains, its progress is shown and it can't be asked for again", async () => {
  server.job = { ...done, state: "running", done: 0, outcomes: [] };
  show();
  const button = await screen.findByRole("button", { name: "Retrain lat" });
  await userEvent.click(button);
  expect(await screen.findByText("trains, 0 of 1 done")).toBeInTheDocument();
  expect(screen.getByRole("progressbar")).toHaveAttribute("max", "1");
  expect(button).toBeDisabled();
});

test("viewers are told why they can't retrain", async () => {
  operator.mayChange = false;
  show();
  expect(await screen.findByRole("button", { name: "Retrain lat" })).toBeDisabled();
  expect(screen.getByText("Viewers can't retrain; who may operate can.")).toBeInTheDocument();
});
