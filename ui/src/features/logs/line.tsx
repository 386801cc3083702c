/** A log line: one row, that unfolds in place to all that it has. */
import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { LogLine } from "@/api/logs.ts";
import { Copy } from "@/components/copy.tsx";
import { lineAsText, prettyJson } from "@/lib/line.ts";
import { seconds } from "@/lib/time.ts";
import { Context } from "./context.tsx";
import classes from "./line.module.css";
import { Marked } from "./marked.tsx";
import { depth, exactly, exactlyUtc, shortName } from "./told.ts";

interface Props {
  line: LogLine;
  service: string;
  searched: string;
  now: number;
  index: number;
  isOpen: boolean;
  onToggle: () => void;
  onOnly: (text: string) => void;
}

export function Line({ line, service, searched, now, index, isOpen, onToggle, onOnly }: Props) {
  const told = line.exception ?? line.stack_trace?.split(/[:\n]/, 1)[0] ?? null;
  return (
    <>
      <button
        type="button"
        className={classes.head}
        aria-expanded={isOpen}
        data-line={index}
        onClick={onToggle}
      >
        <time className={classes.time} dateTime={line.time} title={exactlyUtc(line.time)}>
          {exactly(line.time, now)}
        </time>
        <span className={`${classes.level} ${classes[line.level] ?? ""}`}>{line.level}</span>
        <span className={classes.message}>
          <Marked text={line.message} searched={searched} />
          {told ? <span className={classes.exception}> {shortName(told)}</span> : null}
          {line.cut ? <span className={classes.exception}> (cut)</span> : null}
        </span>
      </button>
      {isOpen ? <Detail line={line} service={service} searched={searched} onOnly={onOnly} /> : null}
    </>
  );
}

function Detail({
  line,
  service,
  searched,
  onOnly,
}: Pick<Props, "line" | "service" | "searched" | "onOnly">) {
  const [hasContext, setContext] = useState(false);
  const json = prettyJson(line.message);
  const isInTrace =
    searched !== "" && (line.stack_trace ?? "").toLowerCase().includes(searched.toLowerCase());
  return (
    <div className={classes.detail}>
      <pre className={classes.text}>
        <Marked text={json ?? line.message} searched={searched} />
      </pre>
      {line.cut ? <p className="muted">The line was too long to be read whole: its end is cut off.</p> : null}
      {line.stack_trace ? (
        <details open={isInTrace}>
          <summary>
            Stack trace, {depth(line.stack_trace)} lines{line.exception ? `: ${line.exception}` : ""}
          </summary>
          <pre className={classes.text}>
            <Marked text={line.stack_trace.trimEnd()} searched={searched} />
          </pre>
          <Copy text={line.stack_trace} label="copy stack trace" />
        </details>
      ) : null}
      <dl className={classes.fields}>
        <dt>time</dt>
        <dd>{exactlyUtc(line.time)}</dd>
        {line.exception ? (
          <>
            <dt>exception</dt>
            <dd>
              <Marked text={line.exception} searched={searched} />
            </dd>
          </>
        ) : null}
        {line.logger ? (
          <>
            <dt>logger</dt>
            <dd>{line.logger}</dd>
          </>
        ) : null}
        {line.trace_id ? (
          <>
            <dt>trace id</dt>
            <dd>
              <Marked text={line.trace_id} searched={searched} />{" "}
              <Copy text={line.trace_id} label="copy" of="the trace id" />
              {searched === line.trace_id ? null : (
                <button type="button" className="link" onClick={() => onOnly(line.trace_id ?? "")}>
                  only this trace
                </button>
              )}
            </dd>
          </>
        ) : null}
        {line.span_id ? (
          <>
            <dt>span id</dt>
            <dd>{line.span_id}</dd>
          </>
        ) : null}
      </dl>
      <div className={classes.actions}>
        <Button
          variant="default"
          size="compact-sm"
          aria-expanded={hasContext}
          onClick={() => setContext(!hasContext)}
        >
          {hasContext ? "Hide lines around" : "Show lines before and after"}
        </Button>
        <Copy text={lineAsText(line)} label="copy line" />
        <Link to="/logs" search={{ service, at: seconds(Date.parse(line.time)) }} className={classes.around}>
          all lines of that minute
        </Link>
      </div>
      {hasContext ? <Context line={line} service={service} /> : null}
    </div>
  );
}
