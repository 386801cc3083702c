/** The order in which targets are looked at. */
import type { Schemas } from "@/api/client.ts";

type Target = Schemas["Target"];

/** Down, then not yet asked, then up; each by job and instance. */
export function downFirst(targets: Target[]): Target[] {
  const place = ({ up }: Target) => (up === false ? 0 : up === null ? 1 : 2);
  return targets.toSorted(
    (one, other) =>
      place(one) - place(other) ||
      one.job.localeCompare(other.job) ||
      one.instance.localeCompare(other.instance),
  );
}
