/** The incidents before and after one, in the order of a list. */

export interface Neighbours {
  /** Below it in the list. */
  next: number | null;
  /** Above it in the list. */
  previous: number | null;
}

/** In a list that has it; else by number, up to the newest that is known. */
export function neighbours(ids: readonly number[], id: number): Neighbours {
  const at = ids.indexOf(id);
  if (at >= 0) return { next: ids[at + 1] ?? null, previous: ids[at - 1] ?? null };
  const newest = Math.max(0, ...ids);
  return { next: id > 1 ? id - 1 : null, previous: id < newest ? id + 1 : null };
}
