/** Everything that a chart draws. */
import type { Schemas } from "@/api/client.ts";
import type { Range } from "@/lib/time.ts";
import type { Gap, Point } from "./data.ts";

/** An instant that has a word. */
export interface Mark {
  at: string;
  text: string;
}

export interface Shown {
  unit: string;
  points: Point[];
  gaps: Gap[];
  incidents: Schemas["SeriesIncident"][];
  high: number | null;
  critical: number | null;
  changes: Mark[];
  marks: Mark[];
  range: Range;
}
