/** Where short labels stand along an axis without covering each other. */

/** Between a mark and its label, and between labels. */
const AWAY = 4;

/**
 * The left end of each label: behind its mark, else before it, else nowhere (null). Earlier ones go first.
 */
export function placed(
  labels: { at: number; width: number }[],
  from: number,
  to: number,
  away = AWAY,
): (number | null)[] {
  const taken: [number, number][] = [];
  const isFree = (left: number, right: number) =>
    left >= from && right <= to && taken.every(([a, b]) => right + away <= a || left >= b + away);
  return labels.map(({ at, width }) => {
    for (const left of [at + away, at - away - width]) {
      if (isFree(left, left + width)) {
        taken.push([left, left + width]);
        return left;
      }
    }
    return null;
  });
}
