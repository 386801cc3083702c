/**
 * Progress of a training job is told up to once a second. It is written into the jobs that are known;
 * they, the models and the datasets are asked for anew only when a job begins or ends.
 */
import type { InfiniteData, QueryClient } from "@tanstack/react-query";
import type { Schemas } from "@/api/client.ts";

type Job = Schemas["Job"];
type Pages = InfiniteData<Schemas["JobPage"]>;
type Told = Pick<Job, "id" | "state" | "done" | "total">;

function isTold(data: unknown): data is Told {
  return (
    typeof data === "object" &&
    data !== null &&
    "id" in data &&
    "state" in data &&
    "done" in data &&
    "total" in data
  );
}

/** The pages with what is told of a job; null where it isn't among them as one that runs. */
export function withProgress(pages: Pages, { id, done, total }: Told): Pages | null {
  let isKnown = false;
  const amended = pages.pages.map((page) => ({
    ...page,
    items: page.items.map((job) => {
      if (job.id !== id || job.state !== "running") return job;
      isKnown = true;
      return { ...job, done, total };
    }),
  }));
  return isKnown ? { ...pages, pages: amended } : null;
}

/** Writes progress where it is shown; false where everything of the job has to be asked for. */
export function progressed(queries: QueryClient, data: unknown): boolean {
  if (!isTold(data) || data.state !== "running") return false;
  const lists = queries.getQueriesData<Pages>({ queryKey: ["jobs"] });
  const amended = lists.map(([key, pages]) => [key, pages ? withProgress(pages, data) : null] as const);
  if (amended.length === 0 || amended.some(([, pages]) => pages === null)) return false;
  for (const [key, pages] of amended) queries.setQueryData(key, pages);
  queries.setQueryData<Job>(["job", data.id], (job) =>
    job ? { ...job, done: data.done, total: data.total } : job,
  );
  return true;
}
