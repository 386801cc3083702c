import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import type { Service } from "@/api/services.ts";
import { Finder } from "./finder.tsx";

const navigate = vi.hoisted(() => vi.fn());
vi.mock("@tanstack/react-router", () => ({ useNavigate: () => navigate }));

const payments: Service = {
  id: "payments",
  name: "payments",
  scope: null,
  state: "high",
  severity: "High",
  instances: 1,
  incident: null,
  last_seen_ts: null,
};
const close = vi.fn();

beforeEach(() => {
  navigate.mockReset();
  close.mockReset();
  const queries = new QueryClient({ defaultOptions: { queries: { staleTime: Number.POSITIVE_INFINITY } } });
  queries.setQueryData(["services"], [payments]);
  render(
    <MantineProvider env="test">
      <QueryClientProvider client={queries}>
        <Finder opened onClose={close} />
      </QueryClientProvider>
    </MantineProvider>,
  );
});

const field = () => screen.getByRole("combobox");
const chosen = () => screen.getByRole("option", { selected: true });

test("Enter goes to the service that the text finds", async () => {
  await userEvent.type(field(), "paym{Enter}");
  expect(navigate).toHaveBeenCalledWith({ to: "/services/$service", params: { service: "payments" } });
  expect(close).toHaveBeenCalledOnce();
});

test("arrow keys choose, and go round", async () => {
  await userEvent.type(field(), "paym");
  expect(chosen()).toHaveTextContent("payments");
  await userEvent.keyboard("{ArrowDown}");
  expect(chosen()).toHaveTextContent("Incidents with the text “paym”");
  await userEvent.keyboard("{ArrowDown}");
  expect(chosen()).toHaveTextContent("payments");
  await userEvent.keyboard("{ArrowUp}{Enter}");
  expect(navigate).toHaveBeenCalledWith({ to: "/incidents", search: { text: "paym" } });
});

test("the field tells a reader which one is chosen", async () => {
  await userEvent.type(field(), "stat");
  expect(field()).toHaveAttribute("aria-activedescendant", chosen().id);
});
