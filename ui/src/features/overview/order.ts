/** Rows that stay where they are while somebody points at them or is among them with the keyboard. */

export interface Place {
  id: string;
  /** The group that it stands in. */
  group: string;
}

/** What is shown: the wanted order, or while it is held the one before, with new ones at the end. */
export function settled(shown: Place[], wanted: Place[], isHeld: boolean): Place[] {
  if (!isHeld) return wanted;
  const there = new Set(wanted.map(({ id }) => id));
  const kept = shown.filter(({ id }) => there.has(id));
  const known = new Set(kept.map(({ id }) => id));
  const added = wanted.filter(({ id }) => !known.has(id));
  return added.length === 0 && kept.length === shown.length ? shown : [...kept, ...added];
}

export function isOther(shown: Place[], wanted: Place[]): boolean {
  return (
    shown.length !== wanted.length ||
    shown.some(({ id, group }, at) => id !== wanted[at]?.id || group !== wanted[at]?.group)
  );
}
