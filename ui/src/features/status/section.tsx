/** A part of the page with its heading, that addresses can lead to. */
import type { ReactNode } from "react";
import classes from "./section.module.css";

export function Section({ id, title, children }: { id: string; title: string; children: ReactNode }) {
  return (
    <section id={id} aria-labelledby={`${id}-title`} className={classes.section}>
      <h2 id={`${id}-title`}>{title}</h2>
      {children}
    </section>
  );
}

/** Why something is disabled; nothing where it isn't. */
export function Refusal({ of }: { of: string | null }) {
  return of ? <span className="muted">{of}</span> : null;
}
