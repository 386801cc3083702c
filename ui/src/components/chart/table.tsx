/** A chart as a table, for those who want the numbers or can't see the line. */
import { useState } from "react";
import { counted, number, range } from "@/lib/amount.ts";
import { local, utc } from "@/lib/time.ts";
import { predictionInWords } from "@/lib/words.ts";
import classes from "./chart.module.css";
import type { Shown } from "./shown.ts";

const ROWS_MAX = 200;

export function Numbers({ shown, title }: { shown: Shown; title: string }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details className={classes.numbers} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>As a table</summary>
      {isOpen ? <Rows shown={shown} title={title} /> : null}
    </details>
  );
}

function Rows({ shown, title }: { shown: Shown; title: string }) {
  const rows = shown.points.slice(-ROWS_MAX).toReversed();
  const now = Date.now();
  const omitted = shown.points.length - rows.length;
  if (rows.length === 0) return <p className="muted">No samples in this range.</p>;
  return (
    // A box that scrolls can be reached by the keyboard.
    // biome-ignore lint/a11y/noNoninteractiveTabindex: see above
    <section className={classes.scroll} tabIndex={0} aria-label={`${title} as a table`}>
      <table>
        <caption className="visually-hidden">
          {title}, newest first
          {omitted > 0 ? `, without the ${counted(omitted, "oldest point", "oldest points")}` : ""}
        </caption>
        <thead>
          <tr>
            <th scope="col">Time</th>
            <th scope="col" className="number">
              Value{shown.unit ? `, ${shown.unit}` : ""}
            </th>
            <th scope="col" className="number">
              Expected
            </th>
            <th scope="col">Severity</th>
            <th scope="col">Prediction</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((point, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: two samples may have one instant
            <tr key={`${point.ts} ${at}`}>
              <td>
                <time dateTime={point.ts} title={utc(point.ts)}>
                  {local(point.ts, now)}
                </time>
              </td>
              <td className="number">{number(point.value)}</td>
              <td className="number">{range(point.lower, point.upper, "") ?? "–"}</td>
              <td>{point.severity === "Unavailable" ? "No data" : point.severity}</td>
              <td>{predictionInWords(point.prediction)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {omitted > 0 ? (
        <p className="muted">
          {counted(omitted, "older point is", "older points are")} left out; a shorter range shows them.
        </p>
      ) : null}
    </section>
  );
}
