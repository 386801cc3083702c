/** A pattern of log lines; it unfolds to lines, trace ids and what is around them. */
import { useState } from "react";
import { Copy } from "@/components/copy.tsx";
import { Told } from "@/components/told.tsx";
import { number } from "@/lib/amount.ts";
import classes from "./logs.module.css";
import { alsoInWords, badge, callInWords, type Pattern, rates, templateParts } from "./patterns.ts";
import { Sample } from "./sample.tsx";

export function PatternItem({ pattern, service }: { pattern: Pattern; service: string }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details className={classes.pattern} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <span>
          <span className={pattern.change === "new" ? classes.new : undefined}>{badge(pattern)}</span>
        </span>
        <span className={classes[pattern.level]}>{pattern.level}</span>
        <code className={classes.template}>
          {templateParts(pattern.template).map(({ start, text, varies }) =>
            varies ? (
              <span key={start} className={classes.varies}>
                {text}
              </span>
            ) : (
              text
            ),
          )}
        </code>
        <span className="number">
          {number(pattern.lines_during)}
          <span className="visually-hidden"> lines now</span>
        </span>
        <span className="number muted">
          {number(pattern.lines_before)}
          <span className="visually-hidden"> before</span>
        </span>
      </summary>
      {isOpen ? <Body pattern={pattern} service={service} /> : null}
    </details>
  );
}

function Body({ pattern, service }: { pattern: Pattern; service: string }) {
  const of = pattern.service || service;
  return (
    <div className={classes.body}>
      <p>
        <Told text={pattern.text} />. {rates(pattern)}. {of === service ? null : `Lines of ${of}. `}
        {pattern.call ? `${callInWords(pattern.call)} ` : null}
        {pattern.also.map(alsoInWords).join(" ")}
      </p>
      {pattern.samples.map((line, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: lines have no other name than their place.
        <Sample key={at} line={line} service={of} />
      ))}
      {pattern.samples.length === 0 ? <p className="muted">No line of it was kept.</p> : null}
      {pattern.trace_ids.length > 0 ? (
        <div className={classes.traces}>
          <span className="muted">Traces</span>
          {pattern.trace_ids.map((id) => (
            <span key={id}>
              <code>{id}</code> <Copy text={id} label="copy" of={`trace id ${id}`} />
            </span>
          ))}
        </div>
      ) : null}
      <div>
        <Copy text={pattern.template} label="copy pattern" />
      </div>
    </div>
  );
}
