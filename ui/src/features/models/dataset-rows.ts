/** Which datasets are wanted, and how much they are together. */
import type { Dataset } from "@/api/training.ts";

/** All words must be in the service or the metric; by service, then metric. */
export function wantedDatasets(
  all: Dataset[],
  text: string,
  titleOf: (dataset: Dataset) => string,
): Dataset[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return all
    .filter((one) => {
      const told = `${one.service} ${one.metric} ${titleOf(one)}`.toLowerCase();
      return words.every((word) => told.includes(word));
    })
    .toSorted(
      (one, other) => one.service.localeCompare(other.service) || titleOf(one).localeCompare(titleOf(other)),
    );
}

export function totals(datasets: Dataset[]): { rows: number; bytes: number } {
  const parts = datasets
    .flatMap(({ history, anomaly }) => [history, anomaly])
    .filter((part) => part !== null);
  return {
    rows: parts.reduce((sum, { rows }) => sum + rows, 0),
    bytes: parts.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}
