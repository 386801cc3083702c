/** What changed before it began, in lines that can be read at a glance. */
import type { Schemas } from "@/api/client.ts";

type Change = Schemas["Change"];

export interface ChangeLine {
  at: string;
  kind: string;
  text: string;
  link: string | null;
  by: string | null;
  /** What was put together in this line. */
  of: string[];
}

const AT = / at \d{4}-\d\d-\d\dT[\d:.]+Z$/;
const MODEL_OF = /model of (\S+) was/;

/** Oldest first. Models that one training made anew are one line. */
export function changeLines(items: Change[]): ChangeLine[] {
  const lines: ChangeLine[] = [];
  let trained: ChangeLine | null = null;
  for (const item of items) {
    const text = item.text.replace(AT, "");
    const line: ChangeLine = {
      at: item.at,
      kind: item.kind.replaceAll("_", " "),
      text,
      link: safe(item.link),
      by: item.by,
      of: [],
    };
    if (item.kind === "retraining" && !item.posted) {
      const metric = MODEL_OF.exec(item.text)?.[1];
      if (trained && trained.at === item.at && metric) {
        trained.of.push(metric);
        trained.text = `${trained.of.length} of Bellwether's models were made anew`;
        continue;
      }
      trained = line;
      if (metric) line.of.push(metric);
    }
    lines.push(line);
  }
  return lines;
}

/** Addresses from outside lead to pages only, never to scripts. */
export function safe(link: string | null): string | null {
  return link && /^https?:\/\//i.test(link) ? link : null;
}
