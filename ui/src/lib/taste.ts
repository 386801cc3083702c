/** Personal taste, kept in this browser: a word of a short list each. */
import { useCallback, useSyncExternalStore } from "react";

const listeners = new Set<() => void>();

function stored(key: string): string | null {
  try {
    return localStorage.getItem(`bellwether.${key}`);
  } catch {
    return null;
  }
}

function store(key: string, value: string): void {
  try {
    localStorage.setItem(`bellwether.${key}`, value);
  } catch {
    // Without storage it holds until the page is loaded again.
  }
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  window.addEventListener("storage", listener);
  return () => {
    listeners.delete(listener);
    window.removeEventListener("storage", listener);
  };
}

/** A setting and how it is changed; anything unknown in the storage is the default. */
export function useTaste<T extends string>(
  key: string,
  words: readonly T[],
  otherwise: T,
): [T, (word: T) => void] {
  const text = useSyncExternalStore(subscribe, () => stored(key));
  const word = words.find((known) => known === text) ?? otherwise;
  return [word, useCallback((chosen: T) => store(key, chosen), [key])];
}
