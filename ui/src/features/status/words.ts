/** Receivers, pages and mutes in words. */

import type { AuditEntry } from "@/api/audit.ts";
import type { Mute, Notice, Receiver } from "@/api/status.ts";
import type { Tone } from "@/components/state.tsx";
import { counted } from "@/lib/amount.ts";

export function stateOfReceiver(receiver: Receiver): { tone: Tone; word: string } {
  if (receiver.failing) return { tone: "critical", word: "Failing" };
  if (receiver.given_up > 0) return { tone: "high", word: "Reached, some given up" };
  if (receiver.last_delivered_ts) return { tone: "normal", word: "Reached" };
  return { tone: "none", word: "Not told anything yet" };
}

/** "High and worse of all services", "Critical of payments and orders". */
export function concernOf({ severity, services }: Receiver): string {
  const which = severity === "High" ? "High and Critical" : severity;
  if (services.length === 0 || (services.length === 1 && services[0] === "*"))
    return `${which} of all services`;
  return `${which} of ${services.join(", ")}`;
}

/** What came of the last day: "12 delivered, 1 pending, 2 given up". */
export function countsOf(receiver: Receiver): string {
  const counts: [number, string][] = [
    [receiver.pending, "pending"],
    [receiver.delivered, "delivered"],
    [receiver.given_up, "given up"],
    [receiver.withheld, "withheld"],
    [receiver.superseded, "superseded"],
  ];
  const told = counts
    .filter(([count, word]) => count > 0 || word === "delivered")
    .map(([count, word]) => `${count} ${word}`);
  return `${told.join(", ")} in the last day`;
}

/** "opened of #3, payments". */
export function noticeInWords({ kind, incident, service }: Notice): string {
  const about = [incident === null ? null : `#${incident}`, service].filter(Boolean).join(" ");
  return about ? `${kind.replaceAll("_", " ")}: ${about}` : kind.replaceAll("_", " ");
}

/** How long something shall hold; null until it is ended. */
export const SPANS = [
  { value: "1h", label: "1 hour" },
  { value: "4h", label: "4 hours" },
  { value: "1d", label: "1 day" },
  { value: "", label: "until it is ended" },
];

/** Mutes of services, those that end first on top; the mute of shadow mode has no service. */
export function mutesOfServices(mutes: Mute[]): Mute[] {
  return mutes
    .filter(({ service }) => service !== null)
    .toSorted(
      (one, other) => end(one) - end(other) || (one.service ?? "").localeCompare(other.service ?? ""),
    );
}

export function shadowOf(mutes: Mute[]): Mute | null {
  return mutes.find(({ service }) => service === null) ?? null;
}

function end({ until }: Mute): number {
  return until ? Date.parse(until) : Number.POSITIVE_INFINITY;
}

/** "done", "refused (403)", "failed (500)". */
export function cameOf({ status }: Pick<AuditEntry, "status">): string {
  if (status < 400) return "done";
  return status < 500 ? `refused (${status})` : `failed (${status})`;
}

/** "changed: decide.open_after, tick; tick needs a restart; 1 warning". */
export function reloadInWords(reload: {
  changed: string[];
  needs_restart: string[];
  warnings: string[];
}): string {
  const { changed, needs_restart, warnings } = reload;
  return [
    changed.length > 0 ? `changed: ${changed.join(", ")}` : "nothing changed",
    needs_restart.length > 0 ? `waiting for a restart: ${needs_restart.join(", ")}` : null,
    warnings.length > 0 ? counted(warnings.length, "warning") : null,
  ]
    .filter(Boolean)
    .join("; ");
}
