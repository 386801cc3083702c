/** What the address asks of the logs, and the question for the server that it makes. */
import type { LogQuestion } from "@/api/logs.ts";
import { type Range, rangeOf, rangeText, seconds, span } from "@/lib/time.ts";

export const LEVELS = ["trace", "debug", "info", "warn", "error"] as const;
export type LeastLevel = (typeof LEVELS)[number];
export type Order = NonNullable<LogQuestion["order"]>;

export interface LogSearch {
  service?: string;
  range?: string;
  /** An instant in epoch seconds: it is marked among the lines, and without a range lies in its middle. */
  at?: string;
  level?: string;
  text?: string;
  order?: string;
}

export interface Asked {
  service: string;
  rangeText: string;
  range: Range;
  at: number | null;
  level: LeastLevel | null;
  text: string;
  order: Order;
}

export const USUAL_RANGE = "1h";
const AROUND_MS = 60_000;
/** The server takes so many bytes of text. */
const TEXT_BYTES_MAX = 200;

/** "2026-11-23T14:02:10" as a person chose it, in the words of an address; empty for no instant. */
export function instantText(chosen: string): string {
  const at = new Date(chosen).getTime();
  return Number.isNaN(at) ? "" : seconds(at);
}

/** The instant of an address as the field for it takes it, in local time. */
export function chosenInstant(at: number | null): string {
  if (at === null) return "";
  const local = new Date(at - new Date(at).getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 19);
}

/** The instant of an address in milliseconds. */
export function instant(text: string | undefined): number | null {
  return text && /^\d{9,11}(\.\d{1,3})?$/.test(text) ? Number(text) * 1000 : null;
}

/** `now` stays the same until newer lines are asked for, so that pages fit together. */
export function askedBy(search: LogSearch, now: number): Asked | null {
  if (!search.service) return null;
  const at = instant(search.at);
  const around = at === null ? null : rangeText({ from: at - AROUND_MS, to: at + AROUND_MS });
  const wanted = search.range ?? around ?? USUAL_RANGE;
  const range = rangeOf(wanted, now);
  const text = range ? wanted : USUAL_RANGE;
  return {
    service: search.service,
    rangeText: text,
    range: range ?? rangeFrom(USUAL_RANGE, now),
    at,
    level: LEVELS.find((level) => level === search.level) ?? null,
    text: withinBytes(search.text ?? ""),
    order: orderOf(search.order, text),
  };
}

function rangeFrom(text: string, now: number): Range {
  return { from: now - (span(text) ?? 0), to: now };
}

/** Up to now the newest are wanted first; a stretch of the past is read as it happened. */
export function orderOf(order: string | undefined, range: string): Order {
  if (order === "oldest" || order === "newest") return order;
  return span(range) === null ? "oldest" : "newest";
}

export function questionOf(asked: Asked): LogQuestion {
  return {
    service: asked.service,
    from: seconds(asked.range.from),
    to: seconds(asked.range.to),
    ...(asked.level ? { level: asked.level } : {}),
    ...(asked.text ? { text: asked.text } : {}),
    order: asked.order,
  };
}

const HOUR_S = 3600;
const WEEK_S = 7 * 24 * HOUR_S;

/** Patterns are held against a time before that is as long as the range, and an hour at least. */
export function patternsQuestionOf({ service, range }: Asked) {
  const length = Math.ceil((range.to - range.from) / 1000);
  const baseline = `${Math.min(Math.max(length, HOUR_S), WEEK_S)}s`;
  return { service, from: seconds(range.from), to: seconds(range.to), baseline };
}

/** Whether the range is one that patterns are made of. */
export function hasPatterns({ range }: Asked): boolean {
  return range.to - range.from <= WEEK_S * 1000;
}

/** As much of a text as the server searches for. */
export function withinBytes(text: string): string {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length <= TEXT_BYTES_MAX) return text;
  return new TextDecoder().decode(bytes.slice(0, TEXT_BYTES_MAX)).replace(/\ufffd+$/, "");
}
