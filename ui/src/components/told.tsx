/** A sentence of the server: the instants in it in local time, everything else as it is. */
import { pieces } from "@/lib/instants.ts";
import { When } from "./when.tsx";

export function Told({ text }: { text: string }) {
  return pieces(text).map((piece) =>
    piece.isInstant ? <When key={piece.start} at={piece.text} /> : piece.text,
  );
}
