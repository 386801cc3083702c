import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen } from "@testing-library/react";
import { beforeEach, expect, test } from "vitest";
import { me } from "@/api/access.ts";
import type { Schemas } from "@/api/client.ts";
import { mute } from "@/api/mute-fixture.ts";
import { services } from "@/api/services.ts";
import { mutes } from "@/api/status.ts";
import { Toasts } from "@/components/toasts.tsx";
import { OperatorProvider } from "@/operating/operator.tsx";
import { Mutes } from "./mutes.tsx";
import { Shadow } from "./shadow.tsx";

beforeEach(() => localStorage.clear());

function show(role: Schemas["RoleWord"]) {
  const queries = new QueryClient({ defaultOptions: { queries: { staleTime: Number.POSITIVE_INFINITY } } });
  queries.setQueryData(me().queryKey, { name: "kim", role, verified: true, auth: "required" });
  queries.setQueryData(mutes().queryKey, [mute, { ...mute, id: 2, service: null, note: "first week" }]);
  queries.setQueryData(services().queryKey, []);
  render(
    <MantineProvider>
      <QueryClientProvider client={queries}>
        <Toasts>
          <OperatorProvider>
            <Mutes />
            <Shadow />
          </OperatorProvider>
        </Toasts>
      </QueryClientProvider>
    </MantineProvider>,
  );
}

test("mutes and shadow mode say who, until when and why", () => {
  show("admin");
  expect(screen.getByText("load test")).toBeInTheDocument();
  expect(screen.getAllByText(/by kim \(unverified\)/)).toHaveLength(2);
  expect(screen.getByText(/nobody is told of anything/)).toHaveTextContent("until it is turned off");
  expect(screen.getByRole("button", { name: "Turn off…" })).toBeEnabled();
  expect(screen.getByRole("button", { name: "End the mute of payments" })).toBeEnabled();
});

test("an operator mutes, but shadow mode takes an admin", () => {
  show("operator");
  expect(screen.getByRole("button", { name: "End the mute of payments" })).toBeEnabled();
  expect(screen.getByRole("button", { name: "Turn off…" })).toBeDisabled();
  expect(screen.getByText("It takes the role admin.")).toBeInTheDocument();
});

test("a viewer may change neither, and is told why", () => {
  show("viewer");
  expect(screen.getByRole("button", { name: "End the mute of payments" })).toBeDisabled();
  expect(screen.getByText(/Viewers can't mute/)).toBeInTheDocument();
});
