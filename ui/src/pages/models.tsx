/** All models, the rows they are learnt from, and the jobs that train them. */
import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useEffect, useMemo, useRef, useState } from "react";
import { catalogue } from "@/api/services.ts";
import { jobs, models } from "@/api/training.ts";
import { Empty, Shown } from "@/components/face.tsx";
import { DatasetTable } from "@/features/models/dataset-table.tsx";
import { Jobs, UnderWay } from "@/features/models/jobs.tsx";
import { ModelTable } from "@/features/models/model-table.tsx";
import { useTrainingRefusal } from "@/features/models/refusal.ts";
import {
  type ModelRow,
  modelRows,
  OUTCOMES,
  type Sort,
  sorted,
  sortOf,
  summaryOf,
  wanted,
} from "@/features/models/rows.ts";
import { SummaryLine } from "@/features/models/summary.tsx";
import { type Selection, TrainDialog } from "@/features/models/train.tsx";
import { counted } from "@/lib/amount.ts";
import classes from "./models.module.css";

const route = getRouteApi("/models");

const PARTS = [
  [undefined, "Models"],
  ["datasets", "Datasets"],
  ["jobs", "Training jobs"],
] as const;

export function ModelsPage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const queries = useQueryClient();
  const all = useQuery(models());
  const known = useQuery(catalogue());
  const training = useInfiniteQuery(jobs(10));
  const refusal = useTrainingRefusal();
  const [proposed, setProposed] = useState<Selection | null>(null);
  const rows = useMemo(() => modelRows(all.data ?? [], known.data ?? []), [all.data, known.data]);
  const newest = training.data?.pages[0]?.items ?? [];

  // Without the live stream nobody tells that a job has ended.
  const ended = newest.find((job) => job.finished_at)?.id;
  const endedBefore = useRef<string>(undefined);
  useEffect(() => {
    const isNew = endedBefore.current !== undefined && endedBefore.current !== ended;
    endedBefore.current = ended;
    if (!isNew) return;
    void queries.invalidateQueries({ queryKey: ["models"] });
    void queries.invalidateQueries({ queryKey: ["datasets"] });
  }, [ended, queries]);

  const change = (changed: Partial<Record<"text" | "sort" | "outcome" | "open", string>>) =>
    void navigate({
      search: (before) => ({ ...before, ...changed }),
      replace: changed.text !== undefined,
      resetScroll: false,
    });
  return (
    <div className={classes.page}>
      <div className={classes.head}>
        <h1>Models & data</h1>
        <Button disabled={refusal !== null} onClick={() => setProposed({ service: "", metric: "" })}>
          Retrain…
        </Button>
        {refusal ? <span className="muted">{refusal}</span> : null}
      </div>
      {all.data && rows.length > 0 ? <SummaryLine summary={summaryOf(rows)} /> : null}
      <UnderWay jobs={newest} />
      <nav aria-label="Parts of this page" className={classes.parts}>
        {PARTS.map(([show, name]) => (
          <Link
            key={name}
            to="/models"
            search={{ show, text: search.text }}
            className={search.show === show ? classes.here : classes.part}
            aria-current={search.show === show ? "page" : undefined}
          >
            {name}
          </Link>
        ))}
      </nav>
      {search.show === "jobs" ? null : (
        <search className={classes.filters}>
          <TextInput
            label="Service or metric"
            value={search.text ?? ""}
            onChange={(event) => change({ text: event.currentTarget.value })}
          />
          {search.show === "datasets" ? null : (
            <NativeSelect
              label="Last training"
              data={[
                { value: "", label: "any outcome" },
                ...Object.entries(OUTCOMES).map(([value, label]) => ({ value, label })),
              ]}
              value={search.outcome ?? ""}
              onChange={(event) => change({ outcome: event.currentTarget.value })}
            />
          )}
        </search>
      )}
      {search.show === "jobs" ? (
        <Jobs query={training} />
      ) : search.show === "datasets" ? (
        <DatasetTable text={search.text ?? ""} catalogue={known.data ?? []} />
      ) : (
        <Shown what="the models" query={all}>
          {() => <Models rows={rows} onTrain={setProposed} onChange={change} />}
        </Shown>
      )}
      <TrainDialog proposed={proposed} rows={rows} onClose={() => setProposed(null)} />
    </div>
  );
}

interface ModelsProps {
  rows: ModelRow[];
  onTrain: (selection: Selection) => void;
  onChange: (changed: { sort?: string; open?: string; text?: string; outcome?: string }) => void;
}

function Models({ rows, onTrain, onChange }: ModelsProps) {
  const { text = "", outcome, sort, open } = route.useSearch();
  const by = sortOf(sort);
  const shown = sorted(wanted(rows, text, outcome), by);
  const turn = (column: Sort) => onChange({ sort: by.by === column && !by.isDown ? `-${column}` : column });
  if (rows.length === 0) {
    return (
      <Empty title="No series is watched yet">
        <p>Each metric of a service gets a model once it has enough samples.</p>
      </Empty>
    );
  }
  return (
    <>
      <p role="status" className="muted">
        {shown.length === rows.length
          ? counted(rows.length, "series", "series")
          : `${counted(shown.length, "series", "series")} of ${rows.length}`}
      </p>
      {shown.length === 0 ? (
        <Empty title="No model matches">
          <Button variant="default" onClick={() => onChange({ text: "", outcome: "" })}>
            Show all models
          </Button>
        </Empty>
      ) : (
        <ModelTable
          rows={shown}
          sort={by}
          onSort={turn}
          open={open}
          onOpen={(key) => onChange({ open: key })}
          onTrain={(service, metric) => onTrain({ service, metric })}
        />
      )}
    </>
  );
}
