/** What changed before it began. */
import type { Schemas } from "@/api/client.ts";
import { Told } from "@/components/told.tsx";
import { When } from "@/components/when.tsx";
import { counted } from "@/lib/amount.ts";
import classes from "./changed.module.css";
import { changeLines } from "./changes.ts";
import { Section } from "./section.tsx";

interface Props {
  changes: Schemas["Changes"];
  title: (metric: string) => string;
}

export function WhatChanged({ changes, title }: Props) {
  const lines = changeLines(changes.items);
  return (
    <Section title="What changed before">
      {lines.length === 0 ? (
        <p className="muted">
          <Told text={changes.answer} />
        </p>
      ) : (
        <table>
          <caption className="visually-hidden">What changed before, oldest first</caption>
          <tbody>
            {lines.map((line) => (
              <tr key={`${line.at} ${line.kind} ${line.text}`}>
                <td className={classes.at}>
                  <When at={line.at} />
                </td>
                <td>
                  <strong>{line.kind}</strong> <Told text={line.text} />
                  {line.of.length > 1 ? (
                    <details>
                      <summary className="muted">which</summary>
                      {line.of.map(title).join(", ")}
                    </details>
                  ) : null}
                  {line.by ? <span className="muted">, by {line.by}</span> : null}
                  {line.link ? (
                    <>
                      {", "}
                      <a href={line.link} rel="noreferrer" target="_blank">
                        {host(line.link)}
                      </a>
                    </>
                  ) : null}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {changes.omitted > 0 ? (
        <p className="muted">{counted(changes.omitted, "change")} more are not listed.</p>
      ) : null}
    </Section>
  );
}

function host(link: string): string {
  return URL.canParse(link) ? new URL(link).host : "link";
}
