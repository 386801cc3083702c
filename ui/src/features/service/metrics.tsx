/** The metrics of a service, the worst first. The order holds while somebody points at it. */
import { useQuery } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { type Finding, sparklines } from "@/api/services.ts";
import { inOrder, worstFirst } from "./build.ts";
import { MetricRow } from "./metric-row.tsx";
import classes from "./metrics.module.css";

const NONE: (number | null)[] = [];

interface Props {
  service: string;
  findings: Finding[];
  evaluated: string | null;
}

export function Metrics({ service, findings, evaluated }: Props) {
  const lines = useQuery(sparklines({ service })).data;
  const [isHeld, setHeld] = useState(false);
  const order = useRef<string[]>([]);
  if (!isHeld) order.current = worstFirst(findings).map(({ id }) => id);
  return (
    <>
      <div className={classes.heads} aria-hidden="true">
        <span>State</span>
        <span>Metric</span>
        <span className={classes.right}>Now</span>
        <span>Last hour</span>
        <span>Yesterday</span>
        <span>Why</span>
      </div>
      <ul
        className={classes.rows}
        onPointerEnter={() => setHeld(true)}
        onPointerLeave={() => setHeld(false)}
        onFocus={() => setHeld(true)}
        onBlur={() => setHeld(false)}
      >
        {inOrder(findings, order.current).map((finding) => (
          <MetricRow
            key={finding.id}
            finding={finding}
            values={lines?.items.find(({ metric }) => metric === finding.id)?.values ?? NONE}
            evaluated={evaluated}
          />
        ))}
      </ul>
    </>
  );
}
