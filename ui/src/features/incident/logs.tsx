/** What the logs say that they did not say before. */
import { Link } from "@tanstack/react-router";
import type { Schemas } from "@/api/client.ts";
import type { Incident } from "@/api/incidents.ts";
import { Told } from "@/components/told.tsx";
import { When } from "@/components/when.tsx";
import { counted } from "@/lib/amount.ts";
import { rangeText } from "@/lib/time.ts";
import classes from "./logs.module.css";
import { PatternItem } from "./pattern.tsx";
import { absence, divided } from "./patterns.ts";
import { Sample } from "./sample.tsx";
import { Section } from "./section.tsx";

/** So many of the lines that were read at the opening are shown. */
const LINES = 50;

export function WhatLogsSay({
  incident,
  answer,
}: {
  incident: Incident;
  answer: Schemas["LogPatternsAnswer"];
}) {
  const { moved, steady } = divided(answer.items);
  const none = absence(answer.outcome);
  const from = answer.from ?? incident.logs?.from;
  const to = answer.to ?? incident.logs?.to;
  return (
    <Section
      title={
        <>
          What the logs say
          {answer.from && answer.to ? (
            <>
              , <When at={answer.from} /> to <When at={answer.to} />
            </>
          ) : null}
          {answer.baseline_from && answer.from ? (
            <>
              {" "}
              against <When at={answer.baseline_from} /> to <When at={answer.from} />
            </>
          ) : null}
        </>
      }
      aside={
        from && to ? (
          <Link
            to="/logs"
            search={{
              service: incident.service,
              range: rangeText({ from: Date.parse(from), to: Date.parse(to) }),
            }}
          >
            All lines of that time
          </Link>
        ) : null
      }
    >
      {none ? (
        <div className={classes.absence}>
          <p>
            <strong>{none.title}.</strong> {answer.detail ? <Told text={`${answer.detail}.`} /> : null}
          </p>
          {none.advice ? <p className="muted">{none.advice}</p> : null}
          {answer.counted ? (
            <p>
              <Told text={answer.counted} />
            </p>
          ) : null}
        </div>
      ) : (
        <>
          {moved.length === 0 ? (
            <p>
              <Told text={answer.answer} />
            </p>
          ) : (
            <Patterns patterns={moved} service={incident.service} />
          )}
          {answer.omitted > 0 ? (
            <p className="muted">{counted(answer.omitted, "pattern")} more moved less.</p>
          ) : null}
          {steady.length > 0 ? (
            <details className={classes.rest}>
              <summary>{counted(Math.max(answer.steady, steady.length), "pattern")} did not move</summary>
              <Patterns patterns={steady} service={incident.service} />
            </details>
          ) : null}
          <details className={classes.rest}>
            <summary>How they are compared</summary>
            <p>{answer.text}.</p>
          </details>
        </>
      )}
      <Attached incident={incident} />
    </Section>
  );
}

function Patterns({ patterns, service }: { patterns: Schemas["LogPattern"][]; service: string }) {
  return (
    <div>
      <div className={classes.heads} aria-hidden="true">
        <span />
        <span>Level</span>
        <span>Pattern</span>
        <span className="number">Now</span>
        <span className="number">Before</span>
      </div>
      <ul className={classes.list}>
        {patterns.map((pattern) => (
          <li key={`${pattern.id} ${pattern.service}`}>
            <PatternItem pattern={pattern} service={service} />
          </li>
        ))}
      </ul>
    </div>
  );
}

/** The lines themselves, as they were read at the opening. */
function Attached({ incident }: { incident: Incident }) {
  const lines = incident.logs?.items ?? [];
  if (lines.length === 0) return null;
  const rest = lines.length - LINES + (incident.logs?.omitted ?? 0);
  return (
    <details className={classes.rest}>
      <summary>{counted(lines.length, "line")} from around the opening, errors first</summary>
      <ol className={classes.lines}>
        {lines.slice(0, LINES).map((line, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: lines have no other name than their place.
          <li key={at}>
            <Sample line={line} service={incident.service} />
          </li>
        ))}
      </ol>
      {rest > 0 ? <p>{counted(rest, "line")} more: see all lines of that time.</p> : null}
    </details>
  );
}
