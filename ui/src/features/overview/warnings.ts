/** Since when early warnings hold: no incident tells, but what was decided does. */
import { useQueries } from "@tanstack/react-query";
import { decisionNow } from "@/api/decisions.ts";
import type { Finding, Service } from "@/api/services.ts";
import { unusualOf, type Warning } from "./onsets.ts";

/** Each is a question of its own; the strip shows no more anyway. */
const MOST = 6;

export function useWarnings(services: Service[], findings: Finding[]): Warning[] {
  const unusual = unusualOf(services, findings, MOST);
  return useQueries({
    queries: unusual.map(({ service, id }) => decisionNow(service, id)),
    combine: (answers) =>
      answers.map(({ data }, at) => ({
        service: unusual[at]?.service ?? "",
        metric: unusual[at]?.id ?? "",
        since: data?.prediction === "Anomaly" ? (data.since ?? data.from) : null,
      })),
  });
}
