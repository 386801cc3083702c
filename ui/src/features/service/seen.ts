/** Whether an element is on the screen, or nearly: what nobody sees need not be asked for. */
import { type RefObject, useEffect, useState } from "react";

/** So far outside it is near enough to be asked for. */
const NEAR = "400px";

export function useSeen(element: RefObject<Element | null>): boolean {
  const [isSeen, setSeen] = useState(false);
  useEffect(() => {
    if (!element.current) return;
    if (typeof IntersectionObserver === "undefined") {
      setSeen(true);
      return;
    }
    // A busy page is told of several changes at once, oldest first.
    const observer = new IntersectionObserver((entries) => setSeen(entries.at(-1)?.isIntersecting ?? false), {
      rootMargin: NEAR,
    });
    observer.observe(element.current);
    return () => observer.disconnect();
  }, [element]);
  return isSeen;
}
