/** What a server that has found no service shows: what was looked for, and what to set. */
import { Link } from "@tanstack/react-router";
import type { CatalogueMetric } from "@/api/services.ts";
import type { Status } from "@/api/status.ts";
import { Copy } from "@/components/copy.tsx";
import { Shape } from "@/components/state.tsx";
import { Told } from "@/components/told.tsx";
import { When } from "@/components/when.tsx";
import { number } from "@/lib/amount.ts";
import { cause } from "./cause.ts";
import classes from "./overview.module.css";

export function FirstRun({ status, catalogue }: { status: Status; catalogue: CatalogueMetric[] }) {
  const { source, backfill, embedded } = status;
  const { title, text } = cause(status);
  const reasons = [...status.not_ready_because, ...status.remarks].filter(
    // Said already.
    (reason) => !(source.state === "down" && reason.startsWith("Prometheus at ")),
  );
  return (
    <div className={classes.first}>
      <h1 className={classes.title}>
        <Shape tone="none" size={14} /> {title}
      </h1>
      <p className={classes.lead}>
        <Told text={text} />
      </p>
      {reasons.length > 0 ? (
        <ul className={classes.reasons}>
          {reasons.map((reason) => (
            <li key={reason}>
              <Told text={reason} />
            </li>
          ))}
        </ul>
      ) : null}
      <h2>What was looked for</h2>
      <dl className={classes.facts}>
        <dt>Metrics from</dt>
        <dd>
          {source.url}, {source.state === "unknown" ? "not asked yet" : source.state}
          {source.since ? (
            <>
              {" "}
              since <When at={source.since} />
            </>
          ) : null}
        </dd>
        <dt>Newest answer</dt>
        <dd>
          <When at={source.answered_at} withAgo />
        </dd>
        {embedded ? (
          <>
            <dt>Targets</dt>
            <dd>
              {embedded.targets.filter(({ up }) => up).length} of {embedded.targets.length} answer
            </dd>
          </>
        ) : null}
        <dt>The past</dt>
        <dd>
          {backfill.phase || "not begun"}
          {backfill.phase && backfill.phase !== "done" ? `, ${number(backfill.done * 100)}\u202f%` : null}
          {backfill.failure ? `: ${backfill.failure}` : null}
        </dd>
        <dt>Configuration</dt>
        <dd>{status.configuration.source}</dd>
      </dl>
      {catalogue.length > 0 ? (
        <details>
          <summary>The queries that found nothing</summary>
          <ul className={classes.queries}>
            {catalogue.map(({ id, title: name, query }) => (
              <li key={id}>
                {name}: <code>{query}</code> <Copy text={query} label="copy query" of={name} />
              </li>
            ))}
          </ul>
        </details>
      ) : null}
      <h2>What to set</h2>
      <p>In config.yaml, then reload the configuration or start again:</p>
      <ul className={classes.settings}>
        <li>
          <code>prometheus.url</code>: the Prometheus that has the metrics, or <code>scrape</code>: a file
          with targets, where there is none
        </li>
        <li>
          <code>identity</code>: the labels that name a service; by default service, application,
          service_name, app, job
        </li>
        <li>
          <code>metrics.&lt;id&gt;.query</code>: the query of a metric, where yours have other names
        </li>
      </ul>
      <p>
        <Link to="/status">Status</Link> has the whole configuration. This page fills by itself as soon as a
        service is found.
      </p>
    </div>
  );
}
