/** Keys for those who keep their hands on the keyboard: single keys and two in a row, such as "g i". */
import { useEffect, useRef } from "react";

/** The second key of two must follow within this. */
const TOGETHER_MS = 1_200;

export type Keys = Record<string, () => void>;

/** Whether what is typed goes into a field. */
function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  // A checkbox takes the space bar only.
  if (target instanceof HTMLInputElement && target.type === "checkbox") return false;
  return target.isContentEditable || ["INPUT", "TEXTAREA", "SELECT"].includes(target.tagName);
}

/** Listens while the component is shown; not while somebody types or a dialog is open. */
export function useKeys(keys: Keys): void {
  const current = useRef(keys);
  current.current = keys;
  useEffect(() => {
    let first: { key: string; at: number } | null = null;
    const listen = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
      if (isTyping(event.target) || document.querySelector('[role="dialog"]')) return;
      const pair = first && event.timeStamp - first.at < TOGETHER_MS ? `${first.key} ${event.key}` : null;
      const name = pair && pair in current.current ? pair : event.key;
      const act = current.current[name];
      first = { key: event.key, at: event.timeStamp };
      if (!act) return;
      first = null;
      event.preventDefault();
      act();
    };
    window.addEventListener("keydown", listen);
    return () => window.removeEventListener("keydown", listen);
  }, []);
}
