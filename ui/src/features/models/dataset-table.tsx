/** The rows on disk of every series, with their downloads. */
import { useQuery } from "@tanstack/react-query";
import type { CatalogueMetric } from "@/api/services.ts";
import { type Dataset, datasets } from "@/api/training.ts";
import { Shown } from "@/components/face.tsx";
import { bytes, counted } from "@/lib/amount.ts";
import { DatasetPart } from "./dataset-part.tsx";
import { totals, wantedDatasets } from "./dataset-rows.ts";
import { type Column, Table } from "./table.tsx";

const COLUMNS: Column<string>[] = [
  { name: "Service", width: "16%" },
  { name: "Metric", width: "16%" },
  { name: "History, learnt from", width: "36%" },
  { name: "Anomaly, of incidents", width: "32%" },
];

export function DatasetTable({ text, catalogue }: { text: string; catalogue: CatalogueMetric[] }) {
  const query = useQuery(datasets());
  const titles = new Map(catalogue.map(({ id, title }) => [id, title]));
  const title = (dataset: Dataset) => titles.get(dataset.metric) ?? dataset.metric;
  return (
    <Shown what="the datasets" query={query}>
      {(all) => {
        const items = wantedDatasets(all, text, title);
        const sum = totals(items);
        return (
          <>
            <p role="status">
              {counted(items.length, "series", "series")} of {all.length}: {counted(sum.rows, "row")},{" "}
              {bytes(sum.bytes)}.
            </p>
            <Table
              caption="Datasets"
              columns={COLUMNS}
              items={items}
              keyOf={({ metric, service }) => `${metric} ${service}`}
              cells={(dataset) => (
                <>
                  <th scope="row">{dataset.service}</th>
                  <td title={dataset.metric}>{title(dataset)}</td>
                  <td>
                    <DatasetPart dataset={dataset} part="history" />
                  </td>
                  <td>
                    <DatasetPart dataset={dataset} part="anomaly" />
                  </td>
                </>
              )}
            />
          </>
        );
      }}
    </Shown>
  );
}
