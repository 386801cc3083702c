/** Services as a table with a column for each default metric. */
import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { memo, useState } from "react";
import type { CatalogueMetric } from "@/api/services.ts";
import { Sparkline } from "@/components/sparkline.tsx";
import { ofService, State } from "@/components/state.tsx";
import { counted } from "@/lib/amount.ts";
import { Hands, Open } from "./open.tsx";
import type { Cell, Row } from "./rows.ts";
import { inSentence } from "./rows.ts";
import classes from "./table.module.css";

/** Beyond these a table isn't read, but filtered. */
const STEP = 200;

export function ServiceTable({ rows, columns }: { rows: Row[]; columns: CatalogueMetric[] }) {
  const [most, setMost] = useState(STEP);
  return (
    <>
      <div className={classes.box}>
        <table>
          <thead>
            <tr>
              <th scope="col" className={classes.state}>
                State
              </th>
              <th scope="col">Service</th>
              {columns.map((column) => (
                <th key={column.id} scope="col" className={classes.metric}>
                  {column.title}
                </th>
              ))}
              <th scope="col">Incidents</th>
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, most).map((row) => (
              <ServiceRow key={row.id} row={row} />
            ))}
          </tbody>
        </table>
      </div>
      {rows.length > most ? (
        <p className={classes.more}>
          {counted(rows.length - most, "service")} more.{" "}
          <Button size="xs" variant="default" onClick={() => setMost((count) => count + STEP)}>
            Show more
          </Button>
        </p>
      ) : null}
    </>
  );
}

const ServiceRow = memo(function ServiceRow({ row }: { row: Row }) {
  const { tone, word } = ofService(row.state);
  const isElsewhere = row.worst && !row.cells.some((cell) => cell?.metric === row.worst?.metric);
  return (
    <tr className={classes.row}>
      <td className={classes.state}>
        <State tone={tone} word={word} />
      </td>
      <th scope="row" className={classes.service}>
        <Link
          to="/services/$service"
          params={{ service: row.id }}
          className={classes.link}
          data-row
          preload={false}
        >
          {row.id}
        </Link>
        <span className={classes.stateBelow}>
          <State tone={tone} word={word} />
        </span>
        {row.open ? (
          <span className={classes.openBelow}>
            <Unresolved open={row.open} service={row.id} />
          </span>
        ) : null}
        {row.worst && isElsewhere ? (
          <span className={`${classes.below} ${classes[row.worst.tone] ?? ""}`}>{row.worst.words}</span>
        ) : null}
      </th>
      {row.cells.map((cell, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a column is its place.
        <td key={at} className={classes.metric}>
          {cell ? <Metric cell={cell} service={row.id} /> : <span className="muted">none</span>}
        </td>
      ))}
      <td className={classes.incidents}>
        {row.open ? <Unresolved open={row.open} service={row.id} /> : <None />}
      </td>
    </tr>
  );
});

function Unresolved({ open, service }: { open: NonNullable<Row["open"]>; service: string }) {
  return (
    <>
      <Open open={open} service={service} />
      <span className={classes.below}>
        <Hands open={open} />
      </span>
    </>
  );
}

function None() {
  return <span className="muted">none</span>;
}

const Metric = memo(function Metric({ cell, service }: { cell: Cell; service: string }) {
  const isUnusual = cell.tone !== null && cell.tone !== "none";
  return (
    <span
      className={classes.cell}
      title={cell.expected ? `Expected ${cell.expected}. ${cell.why}` : cell.why}
    >
      <span className={classes.value}>
        <span className={cell.tone ? classes[cell.tone] : undefined}>{cell.value}</span>
        {isUnusual && cell.expected ? <span className={classes.below}>exp. {cell.expected}</span> : null}
      </span>
      <span className={classes.spark}>
        {cell.values ? (
          <Sparkline
            values={cell.values}
            tone={cell.tone ?? "normal"}
            label={`${inSentence(cell.title)} of ${service}, last hour`}
            width={104}
            height={20}
          />
        ) : null}
      </span>
    </span>
  );
});
