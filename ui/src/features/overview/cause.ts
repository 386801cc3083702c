/** Why no service is shown. */
import type { Status } from "@/api/status.ts";

export function cause({ source, backfill, embedded }: Pick<Status, "source" | "backfill" | "embedded">): {
  title: string;
  text: string;
} {
  const why = source.why ? `: ${source.why}` : "";
  switch (source.state) {
    case "unknown":
      return {
        title: "Nothing is known yet",
        text: `${source.url} has not been asked yet. The first answer is a matter of seconds.`,
      };
    case "down":
      return {
        title: "Metrics can't be read",
        text: `${source.url} does not answer as it should${why}. Services are found as soon as it does.`,
      };
    default:
      if (backfill.phase !== "" && backfill.phase !== "done") {
        return {
          title: "No service is found yet",
          text: `${source.url} answers, and its past is being read.`,
        };
      }
      if (embedded && !embedded.targets.some(({ up }) => up)) {
        return {
          title: "No service is found",
          text: "None of the targets answers, so there is nothing to judge.",
        };
      }
      return {
        title: "No service is found",
        text: `${source.url} answers, but has no series that the queries below would find${why}.`,
      };
  }
}
