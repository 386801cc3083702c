/** The palette for a canvas, which knows no CSS variables. */

const NAMES = [
  "page",
  "panel",
  "text",
  "muted",
  "hairline",
  "accent",
  "band",
  "critical",
  "high",
  "normal",
  "warning",
  "critical-wash",
] as const;

export type Colours = Record<(typeof NAMES)[number], string>;

/** The colours as they are now. */
export function colours(): Colours {
  const style = getComputedStyle(document.documentElement);
  const pairs = NAMES.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]);
  return Object.fromEntries(pairs) as Colours;
}

/** Calls when light has become dark or the other way round. */
export function onScheme(changed: () => void): () => void {
  const observer = new MutationObserver(changed);
  observer.observe(document.documentElement, { attributeFilter: ["data-mantine-color-scheme"] });
  return () => observer.disconnect();
}
