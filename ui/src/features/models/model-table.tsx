/** All models, one series a row; a row unfolds to how its model was made and how its scores lie. */
import { State } from "@/components/state.tsx";
import { When } from "@/components/when.tsx";
import { number } from "@/lib/amount.ts";
import { length } from "@/lib/time.ts";
import { percent } from "./distribution.ts";
import { ModelDetail } from "./model-detail.tsx";
import classes from "./model-table.module.css";
import { type ModelRow, OUTCOMES, type Sort } from "./rows.ts";
import { type Column, Table } from "./table.tsx";

const COLUMNS: Column<Sort>[] = [
  { name: "State", width: "140px", by: "state" },
  { name: "Service", width: "auto", by: "service" },
  { name: "Metric", width: "auto", by: "metric" },
  { name: "Trained", width: "124px", by: "trained" },
  { name: "Rows", width: "72px", isNumber: true, by: "rows" },
  { name: "Window", width: "84px", isNumber: true },
  { name: "Raw anomalies", width: "124px", isNumber: true, by: "share" },
  { name: "Threshold", width: "88px", isNumber: true, by: "threshold" },
  { name: "Last training", width: "140px" },
  { name: "Next", width: "96px", by: "next" },
];

interface Props {
  rows: ModelRow[];
  sort: { by: Sort; isDown: boolean };
  onSort: (by: Sort) => void;
  open: string | undefined;
  onOpen: (key: string) => void;
  onTrain: (service: string, metric: string) => void;
}

export function ModelTable({ rows, sort, onSort, open, onOpen, onTrain }: Props) {
  return (
    <Table
      caption="Models"
      columns={COLUMNS}
      items={rows}
      keyOf={(row) => row.key}
      sort={sort}
      onSort={onSort}
      cells={(row) => (
        <Cells row={row} isOpen={open === row.key} onToggle={() => onOpen(open === row.key ? "" : row.key)} />
      )}
      below={(row) =>
        open === row.key ? <ModelDetail row={row} onTrain={() => onTrain(row.service, row.metric)} /> : null
      }
    />
  );
}

function Cells({ row, isOpen, onToggle }: { row: ModelRow; isOpen: boolean; onToggle: () => void }) {
  const { model, last_outcome, next_training_ts } = row.of;
  const window = model ? Date.parse(model.window_to) - Date.parse(model.window_from) : null;
  return (
    <>
      <td>
        <State tone={row.tone} word={row.word} />
      </td>
      <th scope="row" className={classes.name}>
        <button
          type="button"
          className={classes.unfold}
          aria-expanded={isOpen}
          aria-label={`${row.service}, ${row.title}`}
          onClick={onToggle}
        >
          {row.service}
        </button>
      </th>
      <td title={row.metric}>{row.title}</td>
      <td>
        <When at={model?.trained_at} agoOnly />
      </td>
      <td className="number">{model ? number(model.rows) : ""}</td>
      <td className="number">{window === null ? "" : length(window)}</td>
      <td className="number">{model ? percent(model.raw_share) : ""}</td>
      <td className="number">{model ? model.forest_threshold.toFixed(3) : ""}</td>
      <td title={last_outcome?.detail ?? undefined}>
        {row.outcome === "unusable" ? "" : OUTCOMES[row.outcome]}
      </td>
      <td>
        <When at={next_training_ts} agoOnly never="not planned" />
      </td>
    </>
  );
}
