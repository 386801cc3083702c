/** A part of Bellwether in words. */
import type { Tone } from "@/components/state.tsx";

export interface Part {
  id: string;
  name: string;
  tone: Tone;
  word: string;
  /** Facts, one sentence each; instants in them are RFC 3339. */
  facts: string[];
  /** Where the page has more. */
  more?: "paging" | "targets" | "gaps" | "configuration";
}

/** With a capital and a full stop, as the server's fragments have none. */
export function sentence(text: string): string {
  const told = text.trim();
  const begun = /^[a-z][a-z]* /.test(told) ? told.charAt(0).toUpperCase() + told.slice(1) : told;
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}
