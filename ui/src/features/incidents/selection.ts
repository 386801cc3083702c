/** Which incidents are selected, by their numbers. */

export type Selection = ReadonlySet<number>;

/** One more or one less; with a range, all from the one before to this one become as this one. */
export function toggled(
  selection: Selection,
  shown: readonly number[],
  id: number,
  before: number | null,
  isRange: boolean,
): Selection {
  const next = new Set(selection);
  const [from, to] = [before === null ? -1 : shown.indexOf(before), shown.indexOf(id)];
  const concerned =
    isRange && from >= 0 && to >= 0 ? shown.slice(Math.min(from, to), Math.max(from, to) + 1) : [id];
  const isWanted = !selection.has(id);
  for (const one of concerned) {
    if (isWanted) next.add(one);
    else next.delete(one);
  }
  return next;
}

/** Without what isn't shown any more, so that nothing is changed that nobody sees. */
export function visible(selection: Selection, shown: readonly number[]): number[] {
  return shown.filter((id) => selection.has(id));
}
