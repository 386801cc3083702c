/** Copies a text, and says that it did. */
import { useEffect, useState } from "react";

const SHOWN_MS = 2_000;

/** A button in the flow of text: "copy query". */
export function Copy({ text, label, of }: { text: string; label: string; of?: string }) {
  const [outcome, setOutcome] = useState<"copied" | "failed" | null>(null);
  useEffect(() => {
    if (outcome === null) return;
    const timer = setTimeout(() => setOutcome(null), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [outcome]);
  const copy = (beside: HTMLElement) => {
    const written = navigator.clipboard
      ? navigator.clipboard.writeText(text).then(() => true)
      : Promise.resolve(copiedBySelection(text, beside));
    written.then(
      (isDone) => setOutcome(isDone ? "copied" : "failed"),
      () => setOutcome("failed"),
    );
  };
  return (
    <button
      type="button"
      className="tool"
      title={text}
      onClick={(event) => copy(event.currentTarget)}
      aria-label={of ? `${label} of ${of}` : undefined}
    >
      <span aria-live="polite">
        {outcome === "copied" ? "copied" : outcome === "failed" ? "can't copy here" : label}
      </span>
    </button>
  );
}

/** Over plain HTTP from another machine browsers give no clipboard, but copy what is selected. */
function copiedBySelection(text: string, beside: HTMLElement): boolean {
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "visually-hidden";
  // Within the same dialog, which keeps the focus to itself.
  beside.after(field);
  field.select();
  const isDone = document.execCommand("copy");
  field.remove();
  beside.focus();
  return isDone;
}
