/** Which stretch of time is shown: a span up to now, or two instants that were zoomed to. */
import { useRef } from "react";
import { length, local, rangeOf, span } from "@/lib/time.ts";
import classes from "./ranges.module.css";

const SPANS = [
  ["1h", "last hour"],
  ["6h", "last 6 hours"],
  ["24h", "last 24 hours"],
  ["7d", "last 7 days"],
] as const;

function inWords(text: string): string {
  const known = SPANS.find(([word]) => word === text);
  if (known) return `the ${known[1]}`;
  const back = span(text);
  return back === null ? text : `the last ${length(back)}`;
}

/** `value` as it stands in the address: "1h", or "FROM..TO". */
export function Ranges({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const isSpan = span(value) !== null;
  const before = useRef<string>("1h");
  if (isSpan) before.current = value;
  const now = Date.now();
  const range = isSpan ? null : rangeOf(value, now);
  const isOther = isSpan && !SPANS.some(([word]) => word === value);
  return (
    <fieldset className={classes.ranges}>
      <legend className="visually-hidden">Range</legend>
      {SPANS.map(([word, words]) => (
        <button
          key={word}
          type="button"
          className={classes.span}
          aria-pressed={value === word}
          aria-label={words}
          title={words}
          onClick={() => onChange(word)}
        >
          {word}
        </button>
      ))}
      {isOther ? <span>{inWords(value)}</span> : null}
      {range ? (
        <span className={classes.custom}>
          {local(range.from, now)} to {local(range.to, now)}, {length(range.to - range.from)}{" "}
          <button type="button" className="link" onClick={() => onChange(before.current)}>
            back to {inWords(before.current)}
          </button>
        </span>
      ) : null}
    </fieldset>
  );
}
