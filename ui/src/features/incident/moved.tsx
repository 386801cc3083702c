/** What else moved: the service's metrics against the time before, strongest first. */
import type { Schemas } from "@/api/client.ts";
import { Copy } from "@/components/copy.tsx";
import { Told } from "@/components/told.tsx";
import { amount, counted } from "@/lib/amount.ts";
import classes from "./moved.module.css";
import { Section } from "./section.tsx";
import { against, effectInWords, width } from "./shifts.ts";

interface Props {
  shifts: Schemas["Shifts"];
  title: (metric: string) => string;
  /** Metrics that belong to the incident. */
  members: string[];
  onMetric: (metric: string) => void;
}

export function WhatMoved({ shifts, title, members, onMetric }: Props) {
  const { items, steady, too_few_samples: unknown } = shifts;
  return (
    <Section title={`What else moved${against(shifts)}`}>
      {items.length === 0 ? (
        <p>
          <Told text={shifts.answer} />
        </p>
      ) : (
        <div className={classes.box}>
          <table className={classes.table}>
            <thead>
              <tr>
                <th>Metric</th>
                <th className="number">Before</th>
                <th className="number">Now</th>
                <th>Size of the shift</th>
                <th>
                  <span className="visually-hidden">Query</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {items.map((shift) => (
                <tr key={shift.metric} title={shift.text}>
                  <td>
                    <button type="button" className={classes.metric} onClick={() => onMetric(shift.metric)}>
                      {shift.title}
                    </button>
                    {members.includes(shift.metric) ? <span className="muted"> in the incident</span> : null}
                  </td>
                  <td className="number">{amount(shift.before, shift.unit)}</td>
                  <td className="number">{amount(shift.during, shift.unit)}</td>
                  <td>
                    <span className={classes.size}>
                      <span className={classes.track}>
                        <span className={classes.bar} style={{ width: `${width(shift.effect, items)}%` }} />
                      </span>
                      <span className="muted">{effectInWords(shift)}</span>
                    </span>
                  </td>
                  <td className="number">
                    <Copy text={shift.query} label="copy query" of={shift.title} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <details className={classes.rest}>
        <summary>
          {counted(steady.length, "metric")} did not move, of {unknown.length} too little is known
        </summary>
        <p>Steady: {steady.map(title).join(", ") || "none"}.</p>
        <p>Too few samples: {unknown.map(title).join(", ") || "none"}.</p>
        <p>A spread is a robust standard deviation of the time before; a bar is as long as the root of it.</p>
      </details>
    </Section>
  );
}
