/** The lines before and after a line, and more of them as far as one wants to look. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { type LogLine, logContext } from "@/api/logs.ts";
import { Shown } from "@/components/face.tsx";
import { Told } from "@/components/told.tsx";
import { When } from "@/components/when.tsx";
import { counted } from "@/lib/amount.ts";
import classes from "./sample.module.css";

const BEFORE_SECONDS = 4;
const AFTER_SECONDS = 3;
/** Each look further is so many times as far. */
const FURTHER = 4;
const FURTHEST = 3600;

export function Around({ line, service }: { line: LogLine; service: string }) {
  const [before, setBefore] = useState(BEFORE_SECONDS);
  const [after, setAfter] = useState(AFTER_SECONDS);
  const query = useQuery({
    ...logContext({ service, event_ts: line.time, before: `${before}s`, after: `${after}s` }),
    placeholderData: keepPreviousData,
  });
  const further = (seconds: number) => Math.min(seconds * FURTHER, FURTHEST);
  return (
    <div>
      <button
        type="button"
        className={classes.link}
        onClick={() => setBefore(further)}
        disabled={before >= FURTHEST}
      >
        further back than {before} s
      </button>
      <Shown what="the lines around it" query={query}>
        {({ items, omitted, outcome, detail }) =>
          outcome === "found" ? (
            <>
              <ol className={classes.around}>
                {items
                  .toSorted((a, b) => Date.parse(a.time) - Date.parse(b.time))
                  .map((one, at) => (
                    <li
                      // biome-ignore lint/suspicious/noArrayIndexKey: lines have no other name than their place.
                      key={at}
                      className={isSame(one, line) ? classes.itself : undefined}
                    >
                      <When at={one.time} /> <span className={classes[one.level]}>{one.level}</span>{" "}
                      {one.message}
                    </li>
                  ))}
              </ol>
              {omitted > 0 ? <p className="muted">{counted(omitted, "line")} more are not shown.</p> : null}
            </>
          ) : (
            <p className="muted">
              {outcome === "none_in_window"
                ? "The lines are no longer in the log. "
                : "The log can't be read. "}
              {detail ? <Told text={detail} /> : null}
            </p>
          )
        }
      </Shown>
      <button
        type="button"
        className={classes.link}
        onClick={() => setAfter(further)}
        disabled={after >= FURTHEST}
      >
        further on than {after} s
      </button>
    </div>
  );
}

function isSame(one: LogLine, other: LogLine): boolean {
  return one.time === other.time && one.message === other.message && one.span_id === other.span_id;
}
