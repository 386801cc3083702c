/** Whether the window has been scrolled away from the top. */
import { useSyncExternalStore } from "react";

const A_LITTLE_PX = 8;

function subscribe(listener: () => void): () => void {
  window.addEventListener("scroll", listener, { passive: true });
  return () => window.removeEventListener("scroll", listener);
}

export function useScrolled(): boolean {
  return useSyncExternalStore(subscribe, () => window.scrollY > A_LITTLE_PX);
}
