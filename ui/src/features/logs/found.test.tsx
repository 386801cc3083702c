import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import type { Schemas } from "@/api/client.ts";
import { logLines } from "@/api/logs.ts";
import { Toasts } from "@/components/toasts.tsx";
import { Found } from "./found.tsx";
import { type Asked, type LogSearch, questionOf } from "./question.ts";

const asked: Asked = {
  service: "payments",
  rangeText: "1795410000..1795410060",
  range: { from: 1_795_410_000_000, to: 1_795_410_060_000 },
  at: null,
  level: null,
  text: "",
  order: "oldest",
};
const none: Schemas["LogPage"] = {
  service: "payments",
  from: "2026-11-23T05:00:00.000Z",
  to: "2026-11-23T05:01:00.000Z",
  outcome: "none_in_window",
  detail: "nearest line 2 h 22 m after the window; a window of ±6 h has 300 lines",
  items: [],
  next_cursor: null,
  searched_to: null,
  malformed: 0,
};

function show(page: Partial<Schemas["LogPage"]>, changed: Partial<Asked> = {}) {
  const queries = new QueryClient();
  const all = { ...asked, ...changed };
  queries.setQueryData(logLines(questionOf(all)).queryKey, {
    pages: [{ ...none, ...page }],
    pageParams: [undefined],
  });
  const onChange = vi.fn<(changed: LogSearch) => void>();
  render(
    <MantineProvider>
      <QueryClientProvider client={queries}>
        <Toasts>
          <Found asked={all} onChange={onChange} />
        </Toasts>
      </QueryClientProvider>
    </MantineProvider>,
  );
  return onChange;
}

test("where a range has no lines, a button leads to the nearest", async () => {
  const onChange = show({});
  await userEvent.click(screen.getByRole("button", { name: "Go to the nearest line, 2 h 22 m after" }));
  expect(onChange).toHaveBeenCalledWith({ range: expect.stringMatching(/^\d+\.\.\d+$/), at: "" });
});

test("without a configured log the page says what to set", () => {
  show({ outcome: "not_configured", detail: null });
  expect(screen.getByText("No log of payments is configured")).toBeInTheDocument();
  expect(screen.getByText(/path: \/var\/log/)).toBeInTheDocument();
});

test("a log that can't be read says why", () => {
  show({ outcome: "unreadable", detail: "/var/log/payments.json: permission denied" });
  expect(screen.getByText("/var/log/payments.json: permission denied")).toBeInTheDocument();
});

test("a filter that nothing matches can be taken back", async () => {
  const onChange = show({ outcome: "found", detail: null }, { text: "pool", level: "error" });
  expect(screen.getByText("No line matches")).toBeInTheDocument();
  await userEvent.click(screen.getByRole("button", { name: "Show all levels and texts" }));
  expect(onChange).toHaveBeenCalledWith({ text: "", level: "" });
});

test("what was read without finding anything goes on when asked to", () => {
  show({ outcome: "found", detail: null, next_cursor: "further", searched_to: "2026-11-23T05:00:30.000Z" });
  expect(screen.getByRole("button", { name: "Search on" })).toBeEnabled();
  expect(screen.getByText(/0 lines loaded, more exist/)).toBeInTheDocument();
});
