/** What stands behind the question mark of an address: plain words, never JSON. */

export type Search = Record<string, string | undefined>;

export function parseSearch(text: string): Search {
  return Object.fromEntries(new URLSearchParams(text));
}

export function stringifySearch(search: Record<string, unknown>): string {
  const given = Object.entries(search).filter(
    ([, value]) => value !== undefined && value !== null && value !== "",
  );
  const text = new URLSearchParams(given.map(([key, value]) => [key, String(value)])).toString();
  return text ? `?${text}` : "";
}

/** The values of those names, and nothing else that stood in the address. */
export function only<K extends string>(search: Search, ...names: K[]): Partial<Record<K, string>> {
  const given = names.filter((name) => search[name]);
  return Object.fromEntries(given.map((name) => [name, search[name]])) as Partial<Record<K, string>>;
}
