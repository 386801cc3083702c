/** A small line without axes: the shape of the last hour. */
import { memo } from "react";
import { sparkPath } from "./chart/spark.ts";
import classes from "./sparkline.module.css";
import type { Tone } from "./state.tsx";

interface Props {
  /** Evenly spaced, oldest first; null where there is nothing. */
  values: (number | null)[];
  tone?: Tone;
  /** What a reader who can't see it is told: "latency p99, last hour". */
  label: string;
  width?: number;
  height?: number;
}

export const Sparkline = memo(function Sparkline({
  values,
  tone = "normal",
  label,
  width = 110,
  height = 20,
}: Props) {
  return (
    <svg
      className={`${classes.line} ${classes[tone] ?? ""}`}
      width={width}
      height={height}
      viewBox={`0 0 ${width} ${height}`}
      role="img"
      aria-label={label}
    >
      <path d={sparkPath(values, width, height)} />
    </svg>
  );
}, isSame);

/** Data are renewed more often than they change. */
function isSame(before: Props, now: Props): boolean {
  return (
    before.tone === now.tone &&
    before.label === now.label &&
    before.width === now.width &&
    before.height === now.height &&
    before.values.length === now.values.length &&
    before.values.every((value, at) => value === now.values[at])
  );
}
