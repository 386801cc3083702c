/** How a model was made, how its scores lie, and the rows behind it. */
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { type Dataset, datasetRows, datasets } from "@/api/training.ts";
import { Copy } from "@/components/copy.tsx";
import { Shown } from "@/components/face.tsx";
import { Told } from "@/components/told.tsx";
import { When } from "@/components/when.tsx";
import { bytes, counted, number } from "@/lib/amount.ts";
import { DatasetPart } from "./dataset-part.tsx";
import { distributionOf, percent } from "./distribution.ts";
import classes from "./model-detail.module.css";
import { useTrainingRefusal } from "./refusal.ts";
import { type ModelRow, OUTCOMES } from "./rows.ts";
import { Scores } from "./scores.tsx";

const DAY_MS = 86_400_000;
/** A day at a tick of five seconds. */
const PAGES = 4;

export function ModelDetail({ row, onTrain }: { row: ModelRow; onTrain: () => void }) {
  const refusal = useTrainingRefusal();
  return (
    <div className={classes.detail}>
      <section className={classes.column} aria-label="Model">
        <h3>
          {row.service}, {row.title}
        </h3>
        <Facts row={row} />
        <div className={classes.actions}>
          <Button variant="default" size="compact-sm" disabled={refusal !== null} onClick={onTrain}>
            Retrain this model
          </Button>
          <Link to="/services/$service" params={{ service: row.service }}>
            {row.service} and its charts
          </Link>
          {refusal ? <span className="muted">{refusal}</span> : null}
        </div>
      </section>
      <section className={classes.column} aria-label="Scores">
        <h3>How rare its samples of the last day were</h3>
        <Distribution service={row.service} metric={row.metric} />
      </section>
      <section className={classes.wide} aria-label="Dataset">
        <h3>Dataset</h3>
        <Parts service={row.service} metric={row.metric} />
      </section>
    </div>
  );
}

function Facts({ row }: { row: ModelRow }) {
  const { model, problem, last_outcome } = row.of;
  return (
    <dl className={classes.facts}>
      {problem ? <Fact name="problem">{problem}</Fact> : null}
      <Fact name="last training">
        {OUTCOMES[row.outcome === "unusable" ? "unknown" : row.outcome]}
        {last_outcome ? (
          <>
            {last_outcome.at ? (
              <>
                , <When at={last_outcome.at} withAgo />
              </>
            ) : null}
            . <Told text={last_outcome.detail} />
          </>
        ) : null}
      </Fact>
      {model ? (
        <>
          <Fact name="trained">
            <When at={model.trained_at} withAgo />
          </Fact>
          <Fact name="learnt from">
            {counted(model.rows, "row")} of <When at={model.window_from} /> to <When at={model.window_to} />,{" "}
            {model.masked_rows === 0
              ? "none left out"
              : `${number(model.masked_rows)} left out because of incidents`}
          </Fact>
          <Fact name="values">
            {model.constant
              ? `all ${number(model.value_min)}`
              : `${number(model.value_min)} to ${number(model.value_max)}`}
          </Fact>
          <Fact name="raw anomalies">
            {percent(model.raw_share)} of these rows, above the score {model.forest_threshold.toFixed(4)}
          </Fact>
          <Fact name="forest">
            {model.parameters.trees} trees of {model.parameters.sample_size} rows, contamination{" "}
            {percent(model.parameters.contamination)}, seed {model.parameters.seed}, a row each{" "}
            {number(model.parameters.step_seconds)} s, features of version {model.parameters.features_version}
          </Fact>
          <Fact name="file">
            <code>{model.hash}</code> <Copy text={model.hash} label="copy" of="the hash" />{" "}
            {bytes(model.bytes)}
          </Fact>
        </>
      ) : null}
      <Fact name="next training">
        <When at={row.of.next_training_ts} withAgo never="not planned" />
      </Fact>
    </dl>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}

function Distribution({ service, metric }: { service: string; metric: string }) {
  const [from] = useState(() => String(Math.floor((Date.now() - DAY_MS) / 60_000) * 60));
  const query = useQuery(datasetRows({ service, metric, from }, PAGES));
  return (
    <Shown what="the rows" query={query}>
      {(rows) => <Scores distribution={distributionOf(rows)} />}
    </Shown>
  );
}

function Parts({ service, metric }: { service: string; metric: string }) {
  const query = useQuery(datasets(service));
  return (
    <Shown what="the dataset" query={query}>
      {(all) => <Both dataset={all.find((one) => one.metric === metric && one.service === service)} />}
    </Shown>
  );
}

function Both({ dataset }: { dataset: Dataset | undefined }) {
  if (!dataset) return <p className="muted">Nothing lies on disk of this series yet.</p>;
  return (
    <ul className={classes.parts}>
      {(["history", "anomaly"] as const).map((part) => (
        <li key={part}>
          <strong>{part}</strong>: <DatasetPart dataset={dataset} part={part} />
        </li>
      ))}
    </ul>
  );
}
