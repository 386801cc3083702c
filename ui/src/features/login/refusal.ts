/** Why one isn't let in, in words. */
import { Problem } from "@/api/client.ts";
import { length } from "@/lib/time.ts";

export interface Refusal {
  text: string;
  /** Trying again makes no sense for so many milliseconds. */
  waitMs: number;
}

export function refusalOf(error: unknown): Refusal {
  if (!(error instanceof Problem)) return { text: String(error), waitMs: 0 };
  const waitMs = (error.wait ?? 0) * 1000;
  switch (error.status) {
    case 0:
      return { text: "Bellwether does not answer. Try again in a moment.", waitMs: 0 };
    case 401:
      return { text: "Name or password is wrong.", waitMs: 0 };
    case 429:
      return { text: "Too many wrong attempts came from here.", waitMs: waitMs || 30_000 };
    case 503:
      return { text: "Too many people log in at the same time.", waitMs: waitMs || 1_000 };
    default:
      return { text: error.message, waitMs };
  }
}

/** "Try again in 28 s."; nothing when the time is over. */
export function waitInWords(until: number, now: number): string | null {
  return until > now ? `Try again in ${length(Math.ceil((until - now) / 1000) * 1000)}.` : null;
}
