/** How a metric is now: state, value, what is said of it, its last hour, and yesterday. */
import { Link } from "@tanstack/react-router";
import type { Finding } from "@/api/services.ts";
import { Sparkline } from "@/components/sparkline.tsx";
import { State } from "@/components/state.tsx";
import { Told } from "@/components/told.tsx";
import { amount } from "@/lib/amount.ts";
import { stateOf, yesterday } from "./build.ts";
import classes from "./metrics.module.css";
import { useYesterday } from "./yesterday.ts";

interface Props {
  finding: Finding;
  /** The last hour. */
  values: (number | null)[];
  evaluated: string | null;
}

export function MetricRow({ finding, values, evaluated }: Props) {
  const { service, id, title, value, unit } = finding;
  const state = stateOf(finding);
  const then = useYesterday(service, id, evaluated);
  return (
    <li className={classes.row}>
      <State {...state} />
      <h3 className={classes.title}>
        <Link from="/services/$service" to="." search={(search) => search} hash={`metric-${id}`}>
          {title}
        </Link>
      </h3>
      <span className={classes.value}>
        {value === null ? (
          <span className="muted">no value</span>
        ) : (
          <>
            {finding.at_least ? "at least " : ""}
            {amount(value, unit)}
          </>
        )}
      </span>
      <span className={classes.spark}>
        <Sparkline values={values} tone={state.tone} label={`${title}, last hour`} />
      </span>
      <span className={classes.yesterday}>
        <span className={classes.word}>yesterday </span>
        {then === undefined ? "" : yesterday(value, then, unit)}
      </span>
      <span className={classes.why}>
        <Told text={finding.why} />
        {finding.instance ? `; from ${finding.instance}` : null}
        {finding.proxy ? "; by the fallback query" : null}
      </span>
    </li>
  );
}
