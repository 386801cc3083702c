/** What a text finds: pages, services, and incidents that tell of it. */
import type { Service } from "@/api/services.ts";
import { ofService, type Tone } from "@/components/state.tsx";

export const PLACES = [
  { to: "/", name: "Overview" },
  { to: "/incidents", name: "Incidents" },
  { to: "/logs", name: "Logs" },
  { to: "/models", name: "Models & data" },
  { to: "/status", name: "Status" },
] as const;

export type Found =
  | { kind: "page"; id: string; name: string; to: (typeof PLACES)[number]["to"] }
  | { kind: "service"; id: string; name: string; tone: Tone; word: string }
  | { kind: "incidents"; id: string; name: string; text: string };

const MOST = 30;

/** Names that begin with the text come first, services in the order that they have (worst first). */
export function found(text: string, services: Service[]): Found[] {
  const sought = text.trim().toLowerCase();
  const pages: Found[] = PLACES.map(({ to, name }) => ({ kind: "page", id: `page ${to}`, name, to }));
  const known: Found[] = services.map(({ id, state }) => ({
    kind: "service",
    id: `service ${id}`,
    name: id,
    ...ofService(state),
  }));
  if (!sought) return [...pages, ...known].slice(0, MOST);
  const matching = [...known, ...pages].filter(({ name }) => name.toLowerCase().includes(sought));
  const rank = ({ name }: Found) => (name.toLowerCase().startsWith(sought) ? 0 : 1);
  const best = matching.sort((a, b) => rank(a) - rank(b)).slice(0, MOST);
  const told = text.trim();
  return [
    ...best,
    { kind: "incidents", id: "incidents", name: `Incidents with the text “${told}”`, text: told },
  ];
}
