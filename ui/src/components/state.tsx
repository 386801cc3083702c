/** States as colour, shape and word. */
import type { Schemas } from "@/api/client.ts";
import classes from "./state.module.css";

export type Tone = "critical" | "high" | "normal" | "warning" | "none" | "gone";

const SERVICE: Record<Schemas["ServiceState"], [Tone, string]> = {
  critical: ["critical", "Critical"],
  high: ["high", "High"],
  gone: ["gone", "Gone"],
  early_warning: ["warning", "Early warning"],
  no_data: ["none", "No data"],
  normal: ["normal", "Normal"],
};

const SEVERITY: Record<Schemas["SeverityWord"], [Tone, string]> = {
  Critical: ["critical", "Critical"],
  High: ["high", "High"],
  Normal: ["normal", "Normal"],
  Unavailable: ["none", "No data"],
};

export function ofService(state: Schemas["ServiceState"]): { tone: Tone; word: string } {
  const [tone, word] = SERVICE[state];
  return { tone, word };
}

export function ofSeverity(severity: Schemas["SeverityWord"]): { tone: Tone; word: string } {
  const [tone, word] = SEVERITY[severity];
  return { tone, word };
}

/** ◆ Critical, ▲ High, ● Normal, □ Early warning, a dashed ring for no data, a crossed ring for gone. */
export function Shape({ tone, size = 12 }: { tone: Tone; size?: number }) {
  return (
    <svg
      className={`${classes.shape} ${classes[tone]}`}
      width={size}
      height={size}
      viewBox="0 0 12 12"
      aria-hidden="true"
    >
      {tone === "critical" && <path d="M6 0.5 11.5 6 6 11.5 0.5 6z" />}
      {tone === "high" && <path d="M6 1 11.5 11H0.500z" />}
      {tone === "normal" && <circle cx="6" cy="6" r="4.5" />}
      {tone === "warning" && <rect className={classes.hollow} x="1.5" y="1.5" width="9" height="9" />}
      {tone === "none" && <circle className={classes.dashed} cx="6" cy="6" r="4.5" />}
      {tone === "gone" && (
        <>
          <circle className={classes.hollow} cx="6" cy="6" r="4.5" />
          <path className={classes.hollow} d="M3 9 9 3" />
        </>
      )}
    </svg>
  );
}

export function State({ tone, word, large = false }: { tone: Tone; word: string; large?: boolean }) {
  return (
    <span className={`${classes.state} ${classes[tone]} ${large ? classes.large : ""}`}>
      <Shape tone={tone} size={large ? 14 : 12} />
      {word}
    </span>
  );
}
