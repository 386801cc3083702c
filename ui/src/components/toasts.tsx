/** Short messages about what was just done, with a way back where there is one. */
import { createContext, type ReactNode, useCallback, useContext, useMemo, useRef, useState } from "react";
import classes from "./toasts.module.css";

/** So long a message stays; a way back stays longer. */
const STAYS_MS = 5_000;
export const UNDO_MS = 10_000;

interface Toast {
  text: string;
  /** Something went wrong: it stays until it is closed. */
  failed?: boolean;
  undo?: () => void;
}

interface Shown extends Toast {
  id: number;
}

const Context = createContext<((toast: Toast) => void) | null>(null);

export function useToast(): (toast: Toast) => void {
  const show = useContext(Context);
  if (!show) throw new Error("useToast needs a <Toasts>");
  return show;
}

export function Toasts({ children }: { children: ReactNode }) {
  const [shown, setShown] = useState<Shown[]>([]);
  const next = useRef(1);
  const close = useCallback((id: number) => setShown((all) => all.filter((one) => one.id !== id)), []);
  const show = useCallback(
    (toast: Toast) => {
      const id = next.current++;
      setShown((all) => [...all.slice(-2), { ...toast, id }]);
      if (!toast.failed) setTimeout(() => close(id), toast.undo ? UNDO_MS : STAYS_MS);
    },
    [close],
  );
  const value = useMemo(() => show, [show]);
  return (
    <Context.Provider value={value}>
      {children}
      <div className={classes.toasts} role="status" aria-live="polite">
        {shown.map((toast) => (
          <div key={toast.id} className={`${classes.toast} ${toast.failed ? classes.failed : ""}`}>
            <span>{toast.text}</span>
            {toast.undo ? (
              <button
                type="button"
                className={classes.action}
                onClick={() => {
                  toast.undo?.();
                  close(toast.id);
                }}
              >
                Undo
              </button>
            ) : null}
            <button type="button" className={classes.action} onClick={() => close(toast.id)}>
              Close
            </button>
          </div>
        ))}
      </div>
    </Context.Provider>
  );
}
