/** Incident 1 of the demo, trimmed, for tests. */
import type { Incident } from "@/api/incidents.ts";
import demo from "./demo.json";

/** Words of the API are plain texts to the compiler where they come from a file. */
export const incident = demo as unknown as Incident &
  Required<Pick<Incident, "explanation" | "logs" | "timeline">>;
