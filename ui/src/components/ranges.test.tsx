import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { Ranges } from "./ranges.tsx";

test("the span that is shown is pressed, and another can be chosen", async () => {
  const chosen = vi.fn();
  render(<Ranges value="6h" onChange={chosen} />);
  expect(screen.getByRole("button", { name: "last 6 hours" })).toHaveAttribute("aria-pressed", "true");
  await userEvent.click(screen.getByRole("button", { name: "last 7 days" }));
  expect(chosen).toHaveBeenCalledWith("7d");
});

test("two instants are said in words, with the way back to the span before", async () => {
  const chosen = vi.fn();
  const { rerender } = render(<Ranges value="24h" onChange={chosen} />);
  rerender(<Ranges value="1795407600..1795410300" onChange={chosen} />);
  expect(screen.getByText(/45 min/)).toBeInTheDocument();
  await userEvent.click(screen.getByRole("button", { name: "back to the last 24 hours" }));
  expect(chosen).toHaveBeenCalledWith("24h");
});
