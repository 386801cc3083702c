/** Whether it was seen before, and what helped then. */
import { Link } from "@tanstack/react-router";
import type { Schemas } from "@/api/client.ts";
import { When } from "@/components/when.tsx";
import { length } from "@/lib/time.ts";
import classes from "./before.module.css";
import { Section } from "./section.tsx";

interface Props {
  similar: Schemas["Similar"];
  title: (metric: string) => string;
}

export function SeenBefore({ similar, title }: Props) {
  return (
    <Section title="Seen before">
      {similar.items.length === 0 ? (
        <p>{similar.answer.charAt(0).toUpperCase() + similar.answer.slice(1)}.</p>
      ) : (
        <ul className={classes.list}>
          {similar.items.map((past) => (
            <li key={past.id}>
              <Link to="/incidents/$id" params={{ id: String(past.id) }}>
                #{past.id}
              </Link>
              , <When at={past.opened_ts} />
              {past.duration_seconds === null ? "" : `, ${length(past.duration_seconds * 1000)}`},{" "}
              {past.resolved_by ? `resolved by ${past.resolved_by}` : past.status.toLowerCase()}
              {past.last_comment ? <>, “{past.last_comment}”</> : null}.{" "}
              <span className="muted">
                {Math.round(past.similarity * 100)}
                {"\u202f"}% alike
                {past.shared_metrics.length > 0 ? `: ${past.shared_metrics.map(title).join(", ")}` : ""}
                {past.shared_patterns.length > 0 ? (
                  <>
                    ; in both logs <code>{past.shared_patterns.join("; ")}</code>
                  </>
                ) : null}
              </span>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}
