/** Which part carries it: each breakdown with what is left without its parts. */
import type { Schemas } from "@/api/client.ts";
import { Copy } from "@/components/copy.tsx";
import { Told } from "@/components/told.tsx";
import { amount, counted, number } from "@/lib/amount.ts";
import { type Breakdown, heading, ranked } from "./parts.ts";
import { Section } from "./section.tsx";
import classes from "./which.module.css";

export function Which({ which, title }: { which: Schemas["Which"]; title: (metric: string) => string }) {
  const breakdowns = ranked(which.breakdowns);
  const carried = breakdowns.filter(({ outcome }) => outcome === "carried");
  const others = breakdowns.filter(({ outcome }) => outcome !== "carried");
  return (
    <Section title="Which part">
      {carried.length > 0 ? (
        carried.map((breakdown) => (
          <p key={`${breakdown.metric} ${breakdown.of} ${breakdown.label}`} className={classes.carried}>
            <Told text={breakdown.text} />.
          </p>
        ))
      ) : (
        <p className={classes.carried}>
          <Told text={which.answer} />.
        </p>
      )}
      <Breakdowns of={carried} title={title} />
      {others.length > 0 ? (
        <details className={classes.others}>
          <summary>
            {counted(others.length, "label")} {carried.length > 0 ? "more " : ""}compared
          </summary>
          <Breakdowns of={others} title={title} />
        </details>
      ) : null}
    </Section>
  );
}

function Breakdowns({ of, title }: { of: Breakdown[]; title: (metric: string) => string }) {
  return of.map((breakdown) => (
    <details key={`${breakdown.metric} ${breakdown.of} ${breakdown.label}`} className={classes.breakdown}>
      <summary>{heading(breakdown)}</summary>
      <Parts breakdown={breakdown} title={title(breakdown.metric)} />
    </details>
  ));
}

function Parts({ breakdown, title }: { breakdown: Breakdown; title: string }) {
  const { unit, whole, limit, parts, omitted } = breakdown;
  return (
    <div className={classes.parts}>
      <p className="muted">
        {title}: {amount(whole, unit)} over all; below {amount(limit, unit)} it is no anomaly.
      </p>
      <table>
        <thead>
          <tr>
            <th>{breakdown.label}</th>
            <th className="number">Share</th>
            <th className="number">Alone</th>
            <th className="number">Without</th>
            <th>
              <span className="visually-hidden">Query</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {parts.map((part) => (
            <tr key={part.value}>
              <td className={part.carries ? classes.carries : undefined}>
                <code>{part.value}</code>
              </td>
              <td className="number">
                {number(part.share * 100)}
                {"\u202f"}%
              </td>
              <td className="number">{amount(part.alone, unit)}</td>
              <td className="number">{amount(part.without, unit)}</td>
              <td className="number">
                <Copy text={part.query} label="copy query" of={`${title} without ${part.value}`} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {omitted > 0 ? <p className="muted">{counted(omitted, "value")} more are not listed.</p> : null}
    </div>
  );
}
