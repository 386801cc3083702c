import { act, fireEvent, render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { useHeld } from "./held.ts";
import type { Place } from "./order.ts";

function List({ wanted, question = "" }: { wanted: string; question?: string }) {
  const places: Place[] = wanted.split(" ").map((id) => ({ id, group: "normal" }));
  const held = useHeld(places, question);
  return (
    <>
      <ul aria-label="list" {...held.hands}>
        {held.places.map(({ id }) => (
          <li key={id}>
            <button type="button">{id}</button>
          </li>
        ))}
      </ul>
      {held.isOld ? (
        <button type="button" onClick={held.take}>
          take
        </button>
      ) : null}
    </>
  );
}

const shown = () => screen.getAllByRole("listitem").map((item) => item.textContent);

test("nothing moves under the pointer; the new order is taken when it leaves", () => {
  const { rerender } = render(<List wanted="a b c" />);
  const list = screen.getByRole("list");
  fireEvent.pointerEnter(list);
  rerender(<List wanted="c a b" />);
  expect(shown()).toEqual(["a", "b", "c"]);
  expect(screen.getByText("take")).toBeVisible();
  fireEvent.pointerLeave(list);
  expect(shown()).toEqual(["c", "a", "b"]);
  expect(screen.queryByText("take")).toBeNull();
});

test("nothing moves while the keyboard is in it", () => {
  const { rerender } = render(<List wanted="a b" />);
  act(() => screen.getByText("a").focus());
  rerender(<List wanted="b a new" />);
  expect(shown()).toEqual(["a", "b", "new"]);
  act(() => screen.getByText("a").blur());
  expect(shown()).toEqual(["b", "a", "new"]);
});

test("another question is answered at once, and the new order can be taken by hand", () => {
  const { rerender } = render(<List wanted="a b c" />);
  fireEvent.pointerEnter(screen.getByRole("list"));
  rerender(<List wanted="c b" question="filter" />);
  expect(shown()).toEqual(["c", "b"]);
  rerender(<List wanted="b c" question="filter" />);
  expect(shown()).toEqual(["c", "b"]);
  fireEvent.click(screen.getByText("take"));
  expect(shown()).toEqual(["b", "c"]);
});
