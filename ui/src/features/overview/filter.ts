/** Which services are shown: by text and state, both from the address. */
import type { Service } from "@/api/services.ts";
import { ofService } from "@/components/state.tsx";
import { type Row, STATES } from "./rows.ts";

/** The states of the address; everything unknown in it is left out. Empty: all. */
export function statesOf(text: string | undefined): Service["state"][] {
  const words = (text ?? "").split(",");
  return STATES.filter((state) => words.includes(state));
}

/** With a state more, or without it; nothing where all are wanted. */
export function toggled(text: string | undefined, state: Service["state"]): string | undefined {
  const chosen = statesOf(text);
  const now = chosen.includes(state) ? chosen.filter((one) => one !== state) : [...chosen, state];
  return STATES.filter((one) => now.includes(one)).join(",") || undefined;
}

/** By words of the name, the state or the worst metric: every word must be found. */
export function filtered(rows: Row[], text: string, states: Service["state"][]): Row[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return rows.filter((row) => {
    if (states.length > 0 && !states.includes(row.state)) return false;
    const told = `${row.id} ${ofService(row.state).word} ${row.worst?.words ?? ""}`.toLowerCase();
    return words.every((word) => told.includes(word));
  });
}

export function countOf(rows: Row[]): Map<Service["state"], number> {
  const counts = new Map<Service["state"], number>();
  for (const { state } of rows) counts.set(state, (counts.get(state) ?? 0) + 1);
  return counts;
}
