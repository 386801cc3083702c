/** Training jobs, newest first, with their progress and what came of each series. */
import type { UseInfiniteQueryResult } from "@tanstack/react-query";
import type { Job } from "@/api/training.ts";
import { Empty, Failed, Loading } from "@/components/face.tsx";
import { Older } from "@/components/older.tsx";
import { State } from "@/components/state.tsx";
import { Told } from "@/components/told.tsx";
import { When } from "@/components/when.tsx";
import { useNow } from "@/live/clock.ts";
import {
  isUnderWay,
  outcomesInWords,
  selectionInWords,
  stateOf,
  took,
  triggerInWords,
  worstFirst,
} from "./job-words.ts";
import classes from "./jobs.module.css";
import { OUTCOMES } from "./rows.ts";

/** What runs now, on top of whichever part of the page is shown. */
export function UnderWay({ jobs }: { jobs: Job[] }) {
  return (
    <div role="status" className={classes.underWay}>
      {jobs.filter(isUnderWay).map((job) => (
        <Progress key={job.id} job={job} />
      ))}
    </div>
  );
}

export function Progress({ job }: { job: Job }) {
  const what = `Training ${selectionInWords(job)}`;
  return (
    <p className={classes.progress}>
      <label htmlFor={`progress ${job.id}`}>
        {what}: {job.state === "waiting" ? "waits for the one before" : `${job.done} of ${job.total} series`}
      </label>
      <progress id={`progress ${job.id}`} value={job.done} max={Math.max(1, job.total)} />
    </p>
  );
}

type Pages = UseInfiniteQueryResult<{ pages: { items: Job[] }[] }>;

export function Jobs({ query }: { query: Pages }) {
  if (!query.data) {
    return query.isError ? (
      <Failed what="the training jobs" error={query.error} again={() => void query.refetch()} />
    ) : (
      <Loading what="the training jobs" />
    );
  }
  const jobs = query.data.pages.flatMap((page) => page.items);
  if (jobs.length === 0) return <Empty title="No training has run yet" />;
  return (
    <>
      <ul className={classes.jobs}>
        {jobs.map((job) => (
          <JobRow key={job.id} job={job} />
        ))}
      </ul>
      <Older of={query} />
    </>
  );
}

function JobRow({ job }: { job: Job }) {
  const now = useNow();
  const ran = took(job, now);
  return (
    <li className={classes.job}>
      <p className={classes.facts}>
        <State {...stateOf(job)} />
        <strong>{selectionInWords(job)}</strong>
        <span>{triggerInWords(job)}</span>
        <span className="muted">
          <When at={job.started_at ?? job.created_at} withAgo />
          {ran ? `, took ${ran}` : ""}
        </span>
      </p>
      {isUnderWay(job) ? <Progress job={job} /> : null}
      {job.error ? <p className={classes.error}>{job.error}</p> : null}
      {job.outcomes.length > 0 ? (
        <details>
          <summary>{outcomesInWords(job)}</summary>
          <table className={classes.outcomes}>
            <thead>
              <tr>
                <th scope="col">Service</th>
                <th scope="col">Metric</th>
                <th scope="col">Outcome</th>
                <th scope="col">Detail</th>
              </tr>
            </thead>
            <tbody>
              {worstFirst(job).map(({ service, metric, outcome, detail }) => (
                <tr key={`${service} ${metric}`}>
                  <th scope="row">{service}</th>
                  <td>{metric}</td>
                  <td>{OUTCOMES[outcome]}</td>
                  <td>
                    <Told text={detail} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </details>
      ) : null}
    </li>
  );
}
