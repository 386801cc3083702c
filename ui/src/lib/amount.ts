/** Numbers with units, as people read them; the same rules as the sentences of the server. */

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });

/** Whole from a hundred on, one decimal from ten on, else two: "3,400", "22.5", "0.35". */
export function number(value: number): string {
  const magnitude = Math.abs(value);
  if (magnitude >= 100) return whole.format(value);
  if (magnitude >= 10) return trimmed(value.toFixed(1));
  return trimmed(value.toFixed(2));
}

/** Without zeros that say nothing: "22" for "22.0". */
function trimmed(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

/** With a narrow space before the unit: "3,400 ms". */
export function amount(value: number | null | undefined, unit: string): string {
  if (value === null || value === undefined) return "no value";
  return unit ? `${number(value)}\u202f${unit}` : number(value);
}

/** "220 to 440 ms"; nothing without both ends. */
export function range(lower: number | null, upper: number | null, unit: string): string | null {
  if (lower === null || upper === null) return null;
  return `${number(lower)} to ${amount(upper, unit)}`;
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB"];

export function bytes(count: number): string {
  let value = count;
  let at = 0;
  while (value >= 1024 && at < UNITS.length - 1) {
    value /= 1024;
    at += 1;
  }
  return `${number(value)}\u202f${UNITS[at]}`;
}

/** "1 service", "2 services". */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${whole.format(count)} ${count === 1 ? one : many}`;
}

/** How a value stands against an earlier one: "+12 %", "twice", "7.7 times", "half". */
export function against(now: number, before: number): string | null {
  if (before === 0 || !Number.isFinite(now / before)) return null;
  const ratio = now / before;
  if (ratio >= 2) return `${number(ratio)} times`;
  const percent = Math.round((ratio - 1) * 100);
  if (percent === 0) return "the same";
  return `${percent > 0 ? "+" : "\u2212"}${Math.abs(percent)}\u202f%`;
}
