/** When it began, was noticed and ended: four times, and their places on one axis. */
import type { Incident } from "@/api/incidents.ts";
import { length } from "@/lib/time.ts";

export interface Moment {
  name: string;
  at: string;
  /** "± 15 s". */
  within: string | null;
  /** On the axis, in percent. */
  place: number;
}

export interface Strip {
  moments: Moment[];
  /** Where the onset lies with 95 % confidence, in percent. */
  between: { from: number; to: number } | null;
  /** The stretch after the opening is longer than it is drawn. */
  isCut: boolean;
}

/** What comes before the opening has at least so much of the axis, else it could not be seen. */
const AT_LEAST = 55;

export function strip(incident: Incident, lastSeen: string): Strip {
  const between = incident.explanation?.when.onset_between_ts ?? null;
  const [earliest, latest] = [between?.[0] ?? incident.onset_ts, between?.[1] ?? incident.onset_ts].map(
    Date.parse,
  );
  const start = Math.min(earliest ?? 0, Date.parse(incident.onset_ts));
  const opened = Date.parse(incident.opened_ts);
  const end = Math.max(Date.parse(incident.ended_ts ?? lastSeen), opened);
  const share = ((opened - start) / Math.max(1, end - start)) * 100;
  const isCut = share < AT_LEAST;
  const upTo = isCut ? AT_LEAST : share;
  const place = (at: number) => {
    if (at <= opened) return opened === start ? 0 : (Math.max(0, at - start) / (opened - start)) * upTo;
    return upTo + ((at - opened) / (end - opened)) * (100 - upTo);
  };
  const moment = (name: string, at: string, within: string | null = null): Moment => ({
    name,
    at,
    within,
    place: place(Date.parse(at)),
  });
  const worst = incident.worst_severity === "Critical" ? "threshold" : incident.worst_severity;
  return {
    moments: [
      moment("Onset, estimated", incident.onset_ts, within(earliest, latest)),
      moment(
        incident.kind === "availability" ? "First missed" : `First over ${worst}`,
        incident.first_crossing_ts,
      ),
      moment("Opened", incident.opened_ts),
      incident.ended_ts ? moment("Ended", incident.ended_ts) : moment("Last seen", lastSeen),
    ],
    between:
      between && earliest !== undefined && latest !== undefined
        ? { from: place(earliest), to: place(latest) }
        : null,
    isCut,
  };
}

function within(earliest: number | undefined, latest: number | undefined): string | null {
  if (earliest === undefined || latest === undefined || latest <= earliest) return null;
  return `± ${length(Math.max(1000, (latest - earliest) / 2))}`;
}
