import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, expect, test, vi } from "vitest";
import * as access from "@/api/access.ts";
import { Problem } from "@/api/client.ts";
import { LoginForm } from "./form.tsx";

vi.mock("@/api/access.ts");

const done = vi.fn();

beforeEach(() => {
  done.mockReset();
  render(
    <MantineProvider>
      <QueryClientProvider client={new QueryClient()}>
        <LoginForm onDone={done} />
      </QueryClientProvider>
    </MantineProvider>,
  );
});

async function enter(password: string) {
  const name = screen.getByLabelText("Name");
  await userEvent.clear(name);
  await userEvent.type(name, "kim");
  await userEvent.type(screen.getByLabelText("Password"), `${password}{Enter}`);
}

test("name and password let one in", async () => {
  vi.mocked(access.login).mockResolvedValue({ name: "kim", role: "admin", expires_ts: "" });
  await enter("right");
  expect(access.login).toHaveBeenCalledWith("kim", "right");
  expect(done).toHaveBeenCalledOnce();
});

test("a wrong password is said, and another can be typed at once", async () => {
  vi.mocked(access.login).mockRejectedValue(new Problem(401, "unauthorized", ""));
  await enter("wrong");
  expect(await screen.findByRole("alert")).toHaveTextContent("Name or password is wrong.");
  expect(screen.getByLabelText("Password")).toHaveValue("");
  expect(screen.getByLabelText("Password")).toHaveFocus();
  expect(done).not.toHaveBeenCalled();
});

test("a lockout says how long it lasts, and nothing is sent meanwhile", async () => {
  vi.mocked(access.login).mockRejectedValue(new Problem(429, "too many failures", "", undefined, 30));
  await enter("wrong");
  expect(await screen.findByRole("alert")).toHaveTextContent(
    /Too many wrong attempts came from here. Try again in (29|30) s\./,
  );
  vi.mocked(access.login).mockClear();
  await enter("again");
  expect(access.login).not.toHaveBeenCalled();
  expect(screen.getByRole("button", { name: "Log in" })).toBeDisabled();
});
