/** What the browser's tab and history call a page. */
import type { Service } from "@/api/services.ts";
import { ofService } from "@/components/state.tsx";

const NAMES: Record<string, string> = {
  "": "Overview",
  incidents: "Incidents",
  logs: "Logs",
  models: "Models & data",
  status: "Status",
  login: "Log in",
};

/** What a title tells besides the place, as far as it is known. */
export interface Known {
  services?: Service[];
  incident?: { service: string; status: string };
}

const GONE_WRONG = ["critical", "high", "gone"];

/** "payments" for "/services/payments". */
export function placeOf(path: string): string {
  const [page = "", name] = partsOf(path);
  if (page === "services" && name) return decoded(name);
  if (page === "incidents" && name) return `Incident #${decoded(name)}`;
  return (Object.hasOwn(NAMES, page) && NAMES[page]) || "No such page";
}

/** "payments: Critical, Bellwether" for "/services/payments". */
export function titleOf(path: string, { services = [], incident }: Known = {}): string {
  const place = placeOf(path);
  const [page = "", name] = partsOf(path);
  const told = (words: string) => `${words}, Bellwether`;
  if (page === "services" && name) {
    const service = services.find(({ id }) => id === place);
    return told(service ? `${place}: ${ofService(service.state).word}` : place);
  }
  if (page === "incidents" && name && incident) {
    return told(`${place} ${incident.service}${incident.status === "RESOLVED" ? ", resolved" : ""}`);
  }
  const bad = page === "" ? services.filter(({ state }) => GONE_WRONG.includes(state)).length : 0;
  return told(bad > 0 ? `${bad} in trouble, ${place}` : place);
}

function partsOf(path: string): string[] {
  return path.replace(/^\/|\/$/g, "").split("/");
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
