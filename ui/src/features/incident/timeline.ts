/** Everything that happened to it, what people were told of it, and what they were not told and why. */
import type { Incident } from "@/api/incidents.ts";
import type { Notice } from "@/api/status.ts";
import { counted } from "@/lib/amount.ts";

export interface Happening {
  key: string;
  at: string;
  who: string;
  text: string;
  /** Something was deliberately not done, or failed. */
  isNot: boolean;
}

const KINDS: Record<string, string> = {
  opened: "of the opening",
  severity_raised: "of the higher severity",
  repeat: "once more",
  resolved: "of the resolution",
};

/** Oldest first. */
export function happenings(incident: Incident, notices: Notice[]): Happening[] {
  const entries = (incident.timeline ?? []).map(
    (entry, place): Happening => ({
      key: `entry ${place}`,
      at: entry.at,
      who: entry.actor === "bellwether" ? "Bellwether" : entry.actor,
      text: entry.text,
      isNot: false,
    }),
  );
  const told = notices.map(
    (notice): Happening => ({
      key: `notice ${notice.id}`,
      at: notice.done_ts ?? notice.created_ts,
      who: "Bellwether",
      ...noticeInWords(notice),
    }),
  );
  return [...entries, ...told].sort((a, b) => Date.parse(a.at) - Date.parse(b.at));
}

export function noticeInWords(notice: Notice): { text: string; isNot: boolean } {
  const of = KINDS[notice.kind] ?? `(${notice.kind.replaceAll("_", " ")})`;
  const why = notice.why ? `: ${notice.why}` : "";
  const failed = notice.attempts > 0 ? `, ${counted(notice.attempts, "attempt")} failed${why}` : "";
  switch (notice.state) {
    case "delivered":
      return { text: `told ${notice.receiver} ${of}`, isNot: false };
    case "pending":
      return { text: `is about to tell ${notice.receiver} ${of}${failed}`, isNot: notice.attempts > 0 };
    case "withheld":
      return { text: `did not tell ${notice.receiver} ${of}${why}`, isNot: true };
    case "given_up":
      return { text: `could not tell ${notice.receiver} ${of}${failed || why}`, isNot: true };
    case "superseded":
      return { text: `did not tell ${notice.receiver} ${of}: something newer was to be told`, isNot: true };
  }
}

/** Why nobody was told, where nobody was. */
export function silence(notices: Notice[], receivers: number): string | null {
  if (notices.length > 0) return null;
  return receivers === 0
    ? "Nobody is told of incidents: no receiver is configured (notify.receivers)."
    : "Nobody has been told of it so far.";
}
