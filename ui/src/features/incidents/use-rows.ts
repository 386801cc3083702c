/** The rows as they are shown: the server's answer in the order that is kept while somebody looks. */
import { useEffect, useMemo, useRef, useState } from "react";
import type { Incident } from "@/api/incidents.ts";
import { held, type Order, type Row, taken } from "./order.ts";

/**
 * `question` is what the incidents answer: another question is answered from anew. `take` shows
 * what is new.
 */
export function useRows(
  incidents: Incident[],
  question: string,
  isHeld: boolean,
): Order & { take: () => void } {
  const [asked, setAsked] = useState(0);
  const shown = useRef<{ rows: Row[]; question: string; asked: number }>({ rows: [], question, asked });
  const order = useMemo(() => {
    const before = shown.current;
    const isAnew = before.question !== question || before.asked !== asked || !isHeld;
    return isAnew ? taken(incidents) : held(before.rows, incidents);
  }, [incidents, question, isHeld, asked]);
  useEffect(() => {
    shown.current = { rows: order.rows, question, asked };
  }, [order, question, asked]);
  return { ...order, take: () => setAsked((count) => count + 1) };
}
