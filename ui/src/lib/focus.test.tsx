import { render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { useFocusBack } from "./focus.ts";

function Dialog() {
  useFocusBack();
  // biome-ignore lint/a11y/noAutofocus: as dialogs do.
  return <input aria-label="note" autoFocus />;
}

function Page({ isOpen, hasOpener = true }: { isOpen: boolean; hasOpener?: boolean }) {
  return (
    <main id="content" tabIndex={-1}>
      {hasOpener ? <button type="button">Resolve</button> : null}
      {isOpen ? <Dialog /> : null}
    </main>
  );
}

test("a closed dialog gives the focus back to what opened it", () => {
  const { rerender } = render(<Page isOpen={false} />);
  screen.getByRole("button").focus();
  rerender(<Page isOpen />);
  expect(screen.getByRole("textbox")).toHaveFocus();
  rerender(<Page isOpen={false} />);
  expect(screen.getByRole("button")).toHaveFocus();
});

test("where what opened it is gone, the content has the focus", () => {
  const { rerender } = render(<Page isOpen={false} />);
  screen.getByRole("button").focus();
  rerender(<Page isOpen />);
  rerender(<Page isOpen={false} hasOpener={false} />);
  expect(screen.getByRole("main")).toHaveFocus();
});
