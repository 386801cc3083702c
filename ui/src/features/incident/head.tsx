/** State and sentence, and in a line below it who has it and what belongs to it. */
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Incident } from "@/api/incidents.ts";
import { State } from "@/components/state.tsx";
import { Told } from "@/components/told.tsx";
import { When } from "@/components/when.tsx";
import { amount } from "@/lib/amount.ts";
import { useNow } from "@/live/clock.ts";
import classes from "./head.module.css";
import { followedBy, headline, others, worstMember } from "./headline.ts";

interface Props {
  incident: Incident;
  title: (metric: string) => string;
  unit: (metric: string) => string;
  children?: ReactNode;
}

const STATUS = { OPEN: "open", ACKNOWLEDGED: "acknowledged", RESOLVED: "resolved" } as const;

export function Head({ incident, title, unit, children }: Props) {
  const now = useNow();
  const { tone, word, sentence, reason } = headline(incident, now);
  const also = others(incident).map(({ metric }) => title(metric));
  const worst = worstMember(incident);
  const next = followedBy(incident);
  const { resolution, snoozed } = incident;
  return (
    <header className={classes.head}>
      {children}
      <h1 className={classes.title}>
        <State tone={tone} word={word} large />
        <span className={classes.sentence}>{sentence}</span>
      </h1>
      <p className="muted">
        #{incident.id}, <strong className={classes.status}>{STATUS[incident.status]}</strong>,{" "}
        {incident.owner ? `owned by ${incident.owner}` : "no owner"}.{" "}
        {also.length > 0 ? `Also in it: ${also.join(", ")}. ` : null}
        {worst ? (
          <>
            Worst {amount(worst.worst_value, unit(worst.metric))} at <When at={worst.worst_ts} />.{" "}
          </>
        ) : null}
        {incident.severity_set
          ? `${incident.severity} is an operator's word; by the thresholds it is ${incident.computed_severity}. `
          : null}
        {reason ? <>{capital(reason)}. </> : null}
        {snoozed ? (
          <>
            Snoozed by {snoozed.by}{" "}
            {snoozed.until ? (
              <>
                until <When at={snoozed.until} />
              </>
            ) : (
              "until it changes"
            )}
            .{" "}
          </>
        ) : null}
        {incident.follows !== null ? (
          <>
            A relapse of <Numbered id={incident.follows} />.{" "}
          </>
        ) : null}
        {next !== null ? (
          <>
            Followed by <Numbered id={next} />.{" "}
          </>
        ) : null}
        <Link to="/services/$service" params={{ service: incident.service }}>
          All of {incident.service}
        </Link>
      </p>
      {resolution ? (
        <p>
          Resolved <When at={resolution.at} withAgo /> by {resolution.by}
          {resolution.decommissioned ? ", as decommissioned" : ""}
          {resolution.note ? (
            <>
              : “<Told text={resolution.note} />”
            </>
          ) : (
            ", without a note"
          )}
        </p>
      ) : null}
    </header>
  );
}

function Numbered({ id }: { id: number }) {
  return (
    <Link to="/incidents/$id" params={{ id: String(id) }}>
      #{id}
    </Link>
  );
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
