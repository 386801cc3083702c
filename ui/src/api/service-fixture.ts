/** A service, for tests: all is normal where nothing else is said. */
import type { Service } from "./services.ts";

export function service(
  id: string,
  state: Service["state"] = "normal",
  last_seen_ts: string | null = null,
): Service {
  return {
    id,
    name: id,
    scope: null,
    state,
    severity: state === "critical" ? "Critical" : state === "high" ? "High" : "Normal",
    instances: 1,
    incident: null,
    last_seen_ts,
  };
}
