/** Says what others have done to the incident since it was opened here, without moving anything. */
import { useEffect, useRef } from "react";
import type { Incident, TimelineEntry } from "@/api/incidents.ts";
import { useToast } from "@/components/toasts.tsx";

/** Entries that came since, but for those of oneself: the action has said so already. */
export function news(timeline: readonly TimelineEntry[], known: number, me: string | null): TimelineEntry[] {
  return timeline
    .slice(known)
    .filter(({ actor }) => me === null || actor.replace(/ \(unverified\)$/, "") !== me);
}

export function useNews(incident: Incident | undefined, me: string | null): void {
  const toast = useToast();
  const known = useRef<{ id: number; entries: number } | null>(null);
  useEffect(() => {
    const timeline = incident?.timeline;
    if (!incident || !timeline) return;
    const before = known.current?.id === incident.id ? known.current.entries : timeline.length;
    known.current = { id: incident.id, entries: timeline.length };
    for (const { actor, text } of news(timeline, before, me)) {
      toast({ text: `${actor === "bellwether" ? "Bellwether" : actor}: ${text}` });
    }
  }, [incident, me, toast]);
}
