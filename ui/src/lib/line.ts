/** A log line in parts: what is folded, and what is copied. */
import type { LogLine } from "@/api/logs.ts";

/** The message as indented JSON where it is an object or a list of it. */
export function prettyJson(message: string): string | null {
  const text = message.trim();
  if (!/^[{[]/.test(text)) return null;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return null;
  }
}

/** A stack trace folded: what was thrown, what caused it, and how many lines there are. */
export function folded(stack: string): { first: string; causes: string[]; lines: number } {
  const lines = stack.trimEnd().split("\n");
  return {
    first: lines[0]?.trim() ?? "",
    causes: lines.filter((line) => /^\s*Caused by: /.test(line)).map((line) => line.trim()),
    lines: lines.length,
  };
}

/** The line as one would paste it elsewhere. */
export function lineAsText(line: LogLine): string {
  const trace = line.trace_id ? `[${line.trace_id}]` : null;
  const head = [line.time, line.level, line.logger, trace, line.message].filter(Boolean).join(" ");
  return [head, line.stack_trace?.trimEnd() || line.exception].filter(Boolean).join("\n");
}
