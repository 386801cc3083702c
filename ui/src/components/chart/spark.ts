/** The path of a small line. */

/** Room for the width of the line at both ends. */
const EDGE = 1.5;

function rounded(at: number): string {
  return at.toFixed(1).replace(/\.0$/, "");
}

/** An SVG path through the values, broken where there are none; a value alone is a dot. */
export function sparkPath(values: (number | null)[], width: number, height: number): string {
  const known = values.filter((value) => value !== null);
  if (known.length === 0) return "";
  const least = Math.min(...known);
  const greatest = Math.max(...known);
  const step = values.length > 1 ? (width - 2 * EDGE) / (values.length - 1) : 0;
  const y = (value: number) =>
    greatest === least
      ? height / 2
      : height - EDGE - ((value - least) / (greatest - least)) * (height - 2 * EDGE);
  let path = "";
  values.forEach((value, at) => {
    if (value === null) return;
    const point = `${rounded(EDGE + at * step)} ${rounded(y(value))}`;
    const before = at > 0 ? values[at - 1] : null;
    const after = values[at + 1];
    if (before === null || before === undefined) {
      path += `M${point}`;
      if (after === null || after === undefined) path += "h0";
    } else {
      path += `L${point}`;
    }
  });
  return path;
}
