/** Keeps the order of what is shown while the pointer or the keyboard is in it. */
import { type FocusEvent, useCallback, useMemo, useRef, useState } from "react";
import { isOther, type Place, settled } from "./order.ts";

export interface Held {
  places: Place[];
  /** The wanted order is another one; it is taken when pointer and keyboard have left. */
  isOld: boolean;
  /** Takes the wanted order now. */
  take(): void;
  /** For the element around what is ordered. */
  hands: {
    onPointerEnter(): void;
    onPointerLeave(): void;
    onFocus(): void;
    onBlur(event: FocusEvent): void;
  };
}

/** `question` is what is asked for: with another one nothing is held. */
export function useHeld(wanted: Place[], question: string): Held {
  const [isPointed, setPointed] = useState(false);
  const [isFocused, setFocused] = useState(false);
  const shown = useRef<{ places: Place[]; question: string }>({ places: wanted, question });
  const [, renew] = useState(0);
  const isHeld = (isPointed || isFocused) && shown.current.question === question;
  const places = settled(shown.current.places, wanted, isHeld);
  shown.current = { places, question };
  const latest = useRef(wanted);
  latest.current = wanted;

  const take = useCallback(() => {
    shown.current = { ...shown.current, places: latest.current };
    renew((count) => count + 1);
  }, []);
  const hands = useMemo(
    () => ({
      onPointerEnter: () => setPointed(true),
      onPointerLeave: () => setPointed(false),
      onFocus: () => setFocused(true),
      onBlur: (event: FocusEvent) => {
        if (!event.currentTarget.contains(event.relatedTarget)) setFocused(false);
      },
    }),
    [],
  );
  return { places, isOld: isOther(places, wanted), take, hands };
}
