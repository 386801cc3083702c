/** The one way to ask the server: typed by the committed OpenAPI document. */
import createClient from "openapi-fetch";
import { operatorName } from "./operator.ts";
import type { components, paths } from "./schema.d.ts";

export type Schemas = components["schemas"];

/** Where the server's routes begin: above `ui/`, wherever a proxy has put that. */
export const root = new URL("..", document.baseURI).href.replace(/\/$/, "");

/** What the server refuses with (RFC 9457), or that it did not answer. */
export class Problem extends Error {
  readonly status: number;
  readonly title: string;
  readonly instance: string | undefined;
  /** Seconds after which asking again makes sense, where the server says so. */
  readonly wait: number | null;

  constructor(status: number, title: string, detail: string, instance?: string, wait: number | null = null) {
    super(detail || title);
    this.name = "Problem";
    this.status = status;
    this.title = title;
    this.instance = instance;
    this.wait = wait;
  }

  /** Nobody answered: the connection, not the question, is at fault. */
  get isSilence(): boolean {
    return this.status === 0;
  }
}

/** Called when a session has ended; the log-in page listens. */
const signedOut = new Set<() => void>();

export function onSignedOut(listener: () => void): () => void {
  signedOut.add(listener);
  return () => signedOut.delete(listener);
}

export const client = createClient<paths>({
  baseUrl: root,
  credentials: "same-origin",
  // Lists are written with commas.
  querySerializer: { array: { style: "form", explode: false } },
});

client.use({
  onRequest({ request }) {
    const name = operatorName();
    // Without access control this is how changes have a name; with it the server ignores it.
    if (name && request.method !== "GET") request.headers.set("X-Operator", name);
    return request;
  },
});

type Answer<T> = { data?: T; error?: unknown; response: Response };

function isProblem(value: unknown): value is Schemas["Problem"] {
  return typeof value === "object" && value !== null && "title" in value;
}

/** The data of an answer, with its ETag where it has one; a refusal is thrown as a {@link Problem}. */
export async function answered<T>(asking: Promise<Answer<T>>): Promise<{ data: T; tag: string | null }> {
  let answer: Answer<T>;
  try {
    answer = await asking;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Problem(0, "no answer", "Bellwether does not answer");
  }
  const { data, error, response } = answer;
  if (response.ok) return { data: data as T, tag: response.headers.get("etag") };
  if (response.status === 401) for (const listener of signedOut) listener();
  const told = isProblem(error) ? error : null;
  throw new Problem(
    response.status,
    told?.title ?? response.statusText,
    told?.detail ?? `the server answered ${response.status}`,
    told?.instance,
    Number.parseInt(response.headers.get("retry-after") ?? "", 10) || null,
  );
}

/** The data of an answer. */
export async function ask<T>(asking: Promise<Answer<T>>): Promise<T> {
  return (await answered(asking)).data;
}
