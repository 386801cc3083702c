/** Models as rows of a table: how each stands in words, which are wanted, in which order. */
import type { CatalogueMetric } from "@/api/services.ts";
import type { Model } from "@/api/training.ts";
import type { Tone } from "@/components/state.tsx";
import { counted } from "@/lib/amount.ts";

/** What the last training came to; `unusable`: a model is there and can't be read. */
export const OUTCOMES = {
  failed: "failed",
  unusable: "can't be used",
  kept_old: "kept the old one",
  not_enough_samples: "not enough samples",
  trained: "trained",
  unknown: "none remembered",
} as const;
export type Outcome = keyof typeof OUTCOMES;

export interface ModelRow {
  key: string;
  service: string;
  metric: string;
  title: string;
  tone: Tone;
  word: string;
  outcome: Outcome;
  /** What the last training said, or why the model can't be used. */
  detail: string | null;
  of: Model;
}

export function modelRows(models: Model[], catalogue: CatalogueMetric[]): ModelRow[] {
  const titles = new Map(catalogue.map(({ id, title }) => [id, title]));
  return models.map((of) => {
    const outcome = outcomeOf(of);
    return {
      key: `${of.metric} ${of.service}`,
      service: of.service,
      metric: of.metric,
      title: titles.get(of.metric) ?? of.metric,
      ...stateOf(of, outcome),
      outcome,
      detail: of.problem ?? of.last_outcome?.detail ?? null,
      of,
    };
  });
}

function outcomeOf({ problem, last_outcome }: Model): Outcome {
  if (problem !== null) return "unusable";
  switch (last_outcome?.outcome) {
    case "trained":
    case "kept_old":
    case "not_enough_samples":
    case "failed":
      return last_outcome.outcome;
    default:
      return "unknown";
  }
}

function stateOf({ model }: Model, outcome: Outcome): { tone: Tone; word: string } {
  if (outcome === "unusable") return { tone: "critical", word: "Can't be used" };
  if (outcome === "failed") {
    return model ? { tone: "high", word: "Failed, old in use" } : { tone: "critical", word: "Failed" };
  }
  if (!model) {
    return {
      tone: "none",
      word: outcome === "not_enough_samples" ? "Not enough samples" : "Not trained yet",
    };
  }
  if (outcome === "kept_old" || outcome === "not_enough_samples")
    return { tone: "warning", word: "Old in use" };
  return { tone: "normal", word: model.constant ? "Constant" : "Trained" };
}

const BADNESS: Record<Tone, number> = { critical: 0, gone: 1, high: 2, warning: 3, none: 4, normal: 5 };

type Value = string | number | null;

const SORTS = {
  state: (row) => BADNESS[row.tone],
  service: (row) => row.service,
  metric: (row) => row.title,
  trained: (row) => row.of.model?.trained_at ?? null,
  rows: (row) => row.of.model?.rows ?? null,
  share: (row) => row.of.model?.raw_share ?? null,
  threshold: (row) => row.of.model?.forest_threshold ?? null,
  next: (row) => row.of.next_training_ts,
} satisfies Record<string, (row: ModelRow) => Value>;
export type Sort = keyof typeof SORTS;

/** "-rows" sorts by rows, the most first. */
export function sortOf(text: string | undefined): { by: Sort; isDown: boolean } {
  const isDown = text?.startsWith("-") ?? false;
  const name = (isDown ? text?.slice(1) : text) ?? "";
  return name in SORTS ? { by: name as Sort, isDown } : { by: "state", isDown: false };
}

/** Rows without a value come last either way; equals stand by service and metric. */
export function sorted(rows: ModelRow[], { by, isDown }: { by: Sort; isDown: boolean }): ModelRow[] {
  const value: (row: ModelRow) => Value = SORTS[by];
  const turn = isDown ? -1 : 1;
  return rows.toSorted((one, other) => {
    const [a, b] = [value(one), value(other)];
    if (a === null || b === null) return Number(a === null) - Number(b === null) || byName(one, other);
    return turn * compared(a, b) || byName(one, other);
  });
}

function compared(a: string | number, b: string | number): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a) < String(b) ? -1 : String(a) > String(b) ? 1 : 0;
}

function byName(one: ModelRow, other: ModelRow): number {
  return compared(one.service, other.service) || compared(one.title, other.title);
}

/** All words must be in the service, the metric or the state. */
export function wanted(rows: ModelRow[], text: string, outcome: string | undefined): ModelRow[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return rows.filter((row) => {
    if (outcome && row.outcome !== outcome) return false;
    const told = `${row.service} ${row.metric} ${row.title} ${row.word}`.toLowerCase();
    return words.every((word) => told.includes(word));
  });
}

export interface Summary {
  total: number;
  have: number;
  oldest: ModelRow | null;
  next: string | null;
  failed: number;
  /** What else is worth knowing, in words. */
  notes: string[];
}

export function summaryOf(rows: ModelRow[]): Summary {
  const count = (outcome: Outcome) => rows.filter((row) => row.outcome === outcome).length;
  const trained = sorted(
    rows.filter((row) => row.of.model),
    { by: "trained", isDown: false },
  );
  const next = rows
    .map((row) => row.of.next_training_ts)
    .filter((at) => at !== null)
    .toSorted()[0];
  const notes: [number, string][] = [
    [count("kept_old"), "kept the old model"],
    [count("not_enough_samples"), "without enough samples"],
    [rows.filter((row) => row.of.model?.constant).length, "are constant"],
  ];
  return {
    total: rows.length,
    have: rows.filter((row) => row.of.model && row.of.problem === null).length,
    oldest: trained[0] ?? null,
    next: next ?? null,
    failed: count("failed") + count("unusable"),
    notes: notes
      .filter(([number]) => number > 0)
      .map(([number, what]) => `${counted(number, "series", "series")} ${what}`),
  };
}
