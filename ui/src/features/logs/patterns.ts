/** Patterns of log lines in words, and what to search for to see their lines. */
import type { Schemas } from "@/api/client.ts";
import { number } from "@/lib/amount.ts";
import { withinBytes } from "./question.ts";

export type Pattern = Schemas["LogPattern"];

/** Of a template, the longest stretch that does not vary. */
export function longestConstant(template: string): string {
  const parts = template.split("<*>").map((part) => part.trim());
  return withinBytes(parts.reduce((longest, part) => (part.length > longest.length ? part : longest), ""));
}

/** "NEW", "12 ×" risen or fallen to, "gone", "steady". */
export function changeInWords(pattern: Pattern): string {
  switch (pattern.change) {
    case "new":
      return "NEW";
    case "gone":
      return "gone";
    case "steady":
      return "steady";
    default: {
      const times = pattern.rate_before > 0 ? pattern.rate_during / pattern.rate_before : null;
      return times === null ? pattern.change : `${pattern.change}, ${number(times)}\u202f×`;
    }
  }
}
