/** Where the focus goes when a dialog is closed. */
import { useEffect, useState } from "react";

/** What has it now; of an item of a menu, what opened the menu. */
function focused(): Element | null {
  const menu = document.activeElement?.closest('[role="menu"]');
  const opener = menu?.getAttribute("aria-labelledby");
  return opener ? document.getElementById(opener) : document.activeElement;
}

/**
 * For dialogs that are shown as long as they are rendered: gives the focus back to what had it
 * before, or to the content where that is gone.
 */
export function useFocusBack(): void {
  const [before] = useState(focused);
  useEffect(
    () => () => {
      if (before instanceof HTMLElement) before.focus({ preventScroll: true });
      if (document.activeElement === document.body) {
        document.getElementById("content")?.focus({ preventScroll: true });
      }
    },
    [before],
  );
}
