/** The name that changes are made under where there is no access control; asked for once. */
const KEY = "bellwether.operator";

export function operatorName(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

export function rememberOperator(name: string): void {
  try {
    localStorage.setItem(KEY, name);
  } catch {
    // Without storage it is asked for again.
  }
}

/** A header can't carry what isn't printable ASCII. */
export function isOperatorName(name: string): boolean {
  return /^[\x21-\x7e](?:[\x20-\x7e]{0,62}[\x21-\x7e])?$/.test(name);
}
