/** Light, dark, or as the system is; public/scheme.js sets the same before the first paint. */
import { useSyncExternalStore } from "react";
import { useTaste } from "@/lib/taste.ts";

export const SCHEMES = ["system", "light", "dark"] as const;
export type Scheme = (typeof SCHEMES)[number];

const dark = window.matchMedia("(prefers-color-scheme: dark)");

function subscribe(listener: () => void): () => void {
  dark.addEventListener("change", listener);
  return () => dark.removeEventListener("change", listener);
}

export function useScheme(): { chosen: Scheme; choose: (scheme: Scheme) => void; scheme: "light" | "dark" } {
  const [chosen, choose] = useTaste<Scheme>("scheme", SCHEMES, "system");
  const isDark = useSyncExternalStore(subscribe, () => dark.matches);
  const scheme = chosen === "system" ? (isDark ? "dark" : "light") : chosen;
  return { chosen, choose, scheme };
}
