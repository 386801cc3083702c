/** Keeps what is equal: parts of a value that did not change stay the same objects, so that nothing renders again. */
import { replaceEqualDeep } from "@tanstack/react-query";
import { useRef } from "react";

export function useStable<T>(value: T): T {
  const kept = useRef(value);
  kept.current = replaceEqualDeep(kept.current, value);
  return kept.current;
}
