/** The model of each metric: when and on what it was trained, what came of it, when it is trained next. */
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import type { Finding } from "@/api/services.ts";
import { type Model, models } from "@/api/training.ts";
import { Shown } from "@/components/face.tsx";
import { Told } from "@/components/told.tsx";
import { When } from "@/components/when.tsx";
import { amount, counted, range } from "@/lib/amount.ts";
import { outcomeInWords } from "@/lib/words.ts";
import { useOperator } from "@/operating/operator.tsx";
import classes from "./models.module.css";
import { isOver, jobInWords, useRetrain } from "./retrain.ts";

export function Models({ service, findings }: { service: string; findings: Finding[] }) {
  const { mayChange } = useOperator();
  const query = useQuery(models(service));
  return (
    <section aria-labelledby="models">
      <div className={classes.head}>
        <h2 id="models">Models</h2>
        <Retrain service={service} metric={null} of="all of them" />
      </div>
      {mayChange ? null : <p className="muted">Viewers can't retrain; who may operate can.</p>}
      <Shown what="the models" query={query}>
        {(all) =>
          all.length === 0 ? (
            <p className="muted">No series of it is kept yet, so there is nothing to train.</p>
          ) : (
            <ul className={classes.rows}>
              {all.map((model) => (
                <ModelRow
                  key={model.metric}
                  model={model}
                  finding={findings.find(({ id }) => id === model.metric)}
                />
              ))}
            </ul>
          )
        }
      </Shown>
    </section>
  );
}

function ModelRow({ model, finding }: { model: Model; finding: Finding | undefined }) {
  const title = finding?.title ?? model.metric;
  return (
    <li className={classes.row}>
      <h3 className={classes.title}>{title}</h3>
      <div>
        <Trained model={model} unit={finding?.unit ?? ""} />
        {model.problem ? (
          <p className={classes.problem}>
            It can't be used: <Told text={model.problem} />
          </p>
        ) : null}
      </div>
      <LastOutcome model={model} />
      <Retrain service={model.service} metric={model.metric} of={title} />
    </li>
  );
}

function Trained({ model: { model, next_training_ts }, unit }: { model: Model; unit: string }) {
  const next = next_training_ts ? (
    <>
      {" "}
      Next training <When at={next_training_ts} withAgo />.
    </>
  ) : (
    " No training is planned."
  );
  if (!model) return <p>No model yet.{next}</p>;
  const usual = model.constant
    ? `all of them ${amount(model.value_min, unit)}`
    : range(model.value_min, model.value_max, unit);
  return (
    <p>
      Trained <When at={model.trained_at} withAgo />, on {counted(model.rows, "row")}
      {model.masked_rows > 0 ? ` (${counted(model.masked_rows, "row")} of incidents left out)` : ""} from{" "}
      <When at={model.window_from} /> to <When at={model.window_to} />, {usual}.{next}{" "}
      <span className="muted">
        Model <code>{model.hash}</code>
      </span>
    </p>
  );
}

function LastOutcome({ model: { last_outcome } }: { model: Model }) {
  if (!last_outcome) return <p className="muted">No training of it is known.</p>;
  return (
    <p className="muted">
      Last training <When at={last_outcome.at} never="at an unknown time" />:{" "}
      {outcomeInWords(last_outcome.outcome)}. {/* The numbers of a model that was trained stand beside it. */}
      {last_outcome.outcome === "trained" ? null : <Told text={last_outcome.detail} />}
    </p>
  );
}

function Retrain({ service, metric, of }: { service: string; metric: string | null; of: string }) {
  const { mayChange } = useOperator();
  const { job, isAsking, start } = useRetrain(service, metric);
  const isUnderWay = job !== null && !isOver(job);
  return (
    <div className={classes.retrain}>
      <Button
        variant="default"
        size="xs"
        disabled={!mayChange || isUnderWay}
        loading={isAsking}
        onClick={start}
        title={mayChange ? undefined : "Viewers can't retrain"}
        aria-label={`Retrain ${of}`}
      >
        {metric === null ? "Retrain all" : "Retrain"}
      </Button>
      <span role="status">
        {job ? (
          <>
            {isUnderWay && job.total > 0 ? (
              <progress className={classes.progress} max={job.total} value={job.done} aria-label="Progress" />
            ) : null}
            <Told text={jobInWords(job)} />
          </>
        ) : null}
      </span>
    </div>
  );
}
