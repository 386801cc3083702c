/** Bellwether's parts, each with how it stands in words; the worst first. */
import type { Status } from "@/api/status.ts";
import type { Tone } from "@/components/state.tsx";
import { length } from "@/lib/time.ts";
import { configuration, embedded, paging, readiness, remarks, storage } from "./keeping.ts";
import type { Part } from "./part.ts";
import { backfill, gaps, incidents, services, source, ticks, training } from "./watching.ts";

const BADNESS: Record<Tone, number> = { critical: 0, gone: 1, high: 2, warning: 3, none: 4, normal: 5 };

export function partsOf(status: Status, now: number): Part[] {
  const parts = [
    readiness(status),
    source(status),
    ticks(status, now),
    paging(status),
    configuration(status),
    storage(status),
    embedded(status),
    backfill(status),
    services(status),
    incidents(status),
    training(status),
    gaps(status),
    remarks(status),
  ].filter((part) => part !== null);
  return parts.toSorted((one, other) => BADNESS[one.tone] - BADNESS[other.tone]);
}

/** "2 of 12 parts need attention: paging, storage". */
export function headline(parts: Part[]): string {
  const bad = parts.filter(({ tone }) => tone !== "normal" && tone !== "none");
  if (bad.length === 0) return "All parts are well.";
  const names = bad.map(({ name }) => name.toLowerCase()).join(", ");
  return `${bad.length} of ${parts.length} parts ${bad.length === 1 ? "needs" : "need"} attention: ${names}.`;
}

/** How long an uptime was, for the versions. */
export function uptime(status: Status, now: number): string {
  return length(now - Date.parse(status.started_at));
}
