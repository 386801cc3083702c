/** A log line with what it carries: JSON, a stack trace, a trace id, and the lines around it. */
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { LogLine } from "@/api/logs.ts";
import { Copy } from "@/components/copy.tsx";
import { When } from "@/components/when.tsx";
import { folded, lineAsText, prettyJson } from "@/lib/line.ts";
import { rangeText } from "@/lib/time.ts";
import { Around } from "./around.tsx";
import classes from "./sample.module.css";

const MINUTE = 60_000;

export function Sample({ line, service }: { line: LogLine; service: string }) {
  const [hasAround, setAround] = useState(false);
  const at = Date.parse(line.time);
  const stack = line.stack_trace ? folded(line.stack_trace) : null;
  return (
    <div className={classes.sample}>
      <p className={classes.head}>
        <When at={line.time} /> <span className={classes[line.level]}>{line.level}</span> {line.logger}
      </p>
      <pre className={classes.message}>{prettyJson(line.message) ?? line.message}</pre>
      {line.cut ? <p className="muted">The line was too long to be kept whole: its end is cut off.</p> : null}
      {line.stack_trace && stack ? (
        <details className={classes.stack}>
          <summary>
            {stack.first}
            {stack.causes.map((cause) => (
              <span key={cause}>; {cause}</span>
            ))}{" "}
            <span className="muted">({stack.lines} lines)</span>
          </summary>
          <pre className={classes.message}>{line.stack_trace.trimEnd()}</pre>
        </details>
      ) : line.exception ? (
        <p>{line.exception}</p>
      ) : null}
      <p className={classes.tools}>
        {line.trace_id ? (
          <span>
            trace <code>{line.trace_id}</code> <Copy text={line.trace_id} label="copy" of="the trace id" />
          </span>
        ) : null}
        <Copy text={lineAsText(line)} label="copy line" />
        <button
          type="button"
          className="link"
          aria-expanded={hasAround}
          onClick={() => setAround(!hasAround)}
        >
          {hasAround ? "hide lines around it" : "lines around it"}
        </button>
        <Link to="/logs" search={{ service, range: rangeText({ from: at - MINUTE, to: at + MINUTE }) }}>
          two minutes of the log
        </Link>
      </p>
      {hasAround ? <Around line={line} service={service} /> : null}
    </div>
  );
}
