/** A text with what was searched for marked in it. It is split, never read as markup. */
import { pieces } from "./told.ts";

export function Marked({ text, searched }: { text: string; searched: string }) {
  const found = pieces(text, searched);
  return found.map((piece, at) =>
    // biome-ignore lint/suspicious/noArrayIndexKey: pieces have no other name than their place.
    piece.isMarked ? <mark key={at}>{piece.text}</mark> : piece.text,
  );
}
