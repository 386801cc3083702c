import { fireEvent, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Chart, type ChartProps } from "./chart.tsx";

const from = new Date(2026, 10, 23, 12).getTime();
const at = (minute: number) => new Date(from + minute * 60_000).toISOString();

const points: ChartProps["points"] = [0, 1, 2].map((minute) => ({
  ts: at(minute),
  value: 100 + minute,
  expected: 100,
  lower: 90,
  upper: 110,
  prediction: "Normal",
  severity: "Normal",
  score: 0,
  part: "history",
}));

const props: ChartProps = {
  title: "payments, latency p99",
  unit: "ms",
  points,
  gaps: [],
  incidents: [],
  high: 1000,
  critical: 3000,
  range: { from, to: from + 120_000 },
};

// On any other day a time is told with its date.
beforeEach(() => vi.useFakeTimers({ toFake: ["Date"], now: from + 5 * 60_000 }));
afterEach(() => vi.useRealTimers());

const cursor = () => screen.getByRole("slider", { name: /payments, latency p99/ });

test("a chart is a sentence, and its newest sample is told without a cursor", () => {
  render(<Chart {...props} />);
  expect(cursor()).toHaveAccessibleDescription(/lowest 100\sms at 12:00:00, highest 102\sms/);
  expect(screen.getByText("102 ms").closest("p")).toHaveTextContent(/^Newest, 12:02:00/);
});

test("arrow keys move from sample to sample, and leaving takes the cursor away", async () => {
  render(<Chart {...props} />);
  await userEvent.tab();
  expect(cursor()).toHaveFocus();
  await userEvent.keyboard("{ArrowLeft}{ArrowLeft}");
  expect(cursor()).toHaveAttribute("aria-valuenow", "1");
  expect(cursor()).toHaveAttribute(
    "aria-valuetext",
    expect.stringMatching(/^12:01:00: 101\sms, expected 90 to 110\sms/),
  );
  await userEvent.keyboard("{Home}{ArrowLeft}");
  expect(cursor()).toHaveAttribute("aria-valuenow", "0");
  await userEvent.tab();
  expect(screen.getByText("102 ms")).toBeInTheDocument();
});

test("plus and minus zoom around the cursor, zero and a double click go back", () => {
  const onRange = vi.fn();
  const onReset = vi.fn();
  render(<Chart {...props} onRange={onRange} onReset={onReset} />);
  fireEvent.keyDown(cursor(), { key: "Home" });
  fireEvent.keyDown(cursor(), { key: "+" });
  expect(onRange).toHaveBeenLastCalledWith({ from, to: from + 60_000 });
  fireEvent.keyDown(cursor(), { key: "-" });
  expect(onRange).toHaveBeenLastCalledWith({ from, to: from + 240_000 });
  fireEvent.keyDown(cursor(), { key: "0" });
  fireEvent.doubleClick(cursor());
  expect(onReset).toHaveBeenCalledTimes(2);
});

test("the numbers are a table, the newest first", async () => {
  render(<Chart {...props} />);
  await userEvent.click(screen.getByText("As a table"));
  const rows = screen.getAllByRole("row");
  expect(rows).toHaveLength(4);
  expect(rows[1]).toHaveTextContent("12:02:00102");
});
