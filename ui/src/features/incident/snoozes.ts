/** For how long one may want to hear nothing of an incident. */
import type { Action } from "@/api/incidents.ts";

const MORNING_HOUR = 9;

export function snoozes(now: number): { label: string; action: Action }[] {
  const morning = new Date(now);
  morning.setDate(morning.getDate() + 1);
  morning.setHours(MORNING_HOUR, 0, 0, 0);
  return [
    { label: "For 30 min", action: { do: "snooze", for: "30m" } },
    { label: "For 2 h", action: { do: "snooze", for: "2h" } },
    { label: "For 8 h", action: { do: "snooze", for: "8h" } },
    { label: "Until tomorrow, 9:00", action: { do: "snooze", until: morning.toISOString() } },
    { label: "Until it changes", action: { do: "snooze", until: "change" } },
  ];
}
