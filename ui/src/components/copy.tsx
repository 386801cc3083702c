/** Copies a text, and says that it did. */
import { useEffect, useState } from "react";
import classes from "./copy.module.css";

const SHOWN_MS = 2_000;

/** A button in the flow of text: "copy query". */
export function Copy({ text, label, of }: { text: string; label: string; of?: string }) {
  const [outcome, setOutcome] = useState<"copied" | "failed" | null>(null);
  useEffect(() => {
    if (outcome === null) return;
    const timer = setTimeout(() => setOutcome(null), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [outcome]);
  const copy = () => {
    const written = navigator.clipboard?.writeText(text) ?? Promise.reject(new Error("no clipboard"));
    written.then(
      () => setOutcome("copied"),
      () => setOutcome("failed"),
    );
  };
  return (
    <button
      type="button"
      className={classes.copy}
      title={text}
      onClick={copy}
      aria-label={of ? `${label} of ${of}` : undefined}
    >
      <span aria-live="polite">
        {outcome === "copied" ? "copied" : outcome === "failed" ? "can't copy here" : label}
      </span>
    </button>
  );
}
