/** The incidents before and after one, in the order of a list. */

export interface Neighbours {
  /** Below it in the list. */
  next: number | null;
  /** Above it in the list. */
  previous: number | null;
}

/** In a list that has it; else, by number, where it would stand in one with the newest first. */
export function neighbours(ids: readonly number[], id: number): Neighbours {
  const at = ids.indexOf(id);
  if (at >= 0) return { next: ids[at + 1] ?? null, previous: ids[at - 1] ?? null };
  const newestFirst = ids.toSorted((a, b) => b - a);
  return {
    next: newestFirst.find((one) => one < id) ?? null,
    previous: newestFirst.findLast((one) => one > id) ?? null,
  };
}
