/** The instants that stand in sentences of the server, so that pages can show them in local time. */

const INSTANT = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g;

export interface Piece {
  /** Where in the sentence it begins. */
  start: number;
  text: string;
  /** Whether the text is an instant (RFC 3339, UTC). */
  isInstant: boolean;
}

/** A sentence, cut before and after each instant. */
export function pieces(sentence: string): Piece[] {
  const cut: Piece[] = [];
  let done = 0;
  for (const found of sentence.matchAll(INSTANT)) {
    if (found.index > done)
      cut.push({ start: done, text: sentence.slice(done, found.index), isInstant: false });
    cut.push({ start: found.index, text: found[0], isInstant: true });
    done = found.index + found[0].length;
  }
  if (done < sentence.length) cut.push({ start: done, text: sentence.slice(done), isInstant: false });
  return cut;
}
