/** One part of a dataset: how much, from when to when, and its download. */
import { type Dataset, datasetAddress } from "@/api/training.ts";
import { When } from "@/components/when.tsx";
import { bytes, counted } from "@/lib/amount.ts";

export function DatasetPart({ dataset, part }: { dataset: Dataset; part: "history" | "anomaly" }) {
  const { service, metric } = dataset;
  const of = dataset[part];
  if (!of) return <span className="muted">none</span>;
  return (
    <>
      {counted(of.rows, "row")}, {bytes(of.bytes)}
      {of.first_ts && of.last_ts ? (
        <>
          , <When at={of.first_ts} /> to <When at={of.last_ts} />
        </>
      ) : null}{" "}
      <a
        href={datasetAddress(service, metric, part)}
        download
        aria-label={`Download ${part} of ${service}, ${metric} as CSV`}
      >
        CSV
      </a>
    </>
  );
}
