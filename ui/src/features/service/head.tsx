/** The answer first: how the service is, since when, and what is open. */
import { keepPreviousData, useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { decisionAt } from "@/api/decisions.ts";
import { type Incident, incidents } from "@/api/incidents.ts";
import type { Finding, Service } from "@/api/services.ts";
import { ofService, ofSeverity, State } from "@/components/state.tsx";
import { Told } from "@/components/told.tsx";
import { When } from "@/components/when.tsx";
import { counted } from "@/lib/amount.ts";
import { since, worstFirst } from "./build.ts";
import classes from "./head.module.css";
import { MuteButton, MuteLine } from "./mute.tsx";

/** More are in the list of incidents. */
const SENTENCES_MAX = 3;

interface Props {
  service: Service;
  findings: Finding[];
  evaluated: string | null;
}

export function Head({ service, findings, evaluated }: Props) {
  const { id } = service;
  const open = useInfiniteQuery(
    incidents({ service: id, status: ["OPEN", "ACKNOWLEDGED"], sort: "-opened" }, 20),
  );
  const unresolved = open.data?.pages.flatMap(({ items }) => items) ?? [];
  const newest =
    useInfiniteQuery(incidents({ service: id, sort: "-last_seen" }, 1)).data?.pages[0]?.items[0] ?? null;
  const worst = worstFirst(findings)[0];
  const isAsked =
    worst !== undefined && evaluated !== null && service.incident === null && service.state !== "normal";
  const decision = useQuery({
    ...decisionAt({ service: id, metric: worst?.id ?? "", at: evaluated ?? "" }),
    enabled: isAsked,
    placeholderData: keepPreviousData,
  }).data?.decision;
  const begun = since(service, unresolved, newest, (isAsked && decision) || null);
  return (
    <header className={classes.header}>
      <div className={classes.title}>
        <State {...ofService(service.state)} large />
        <h1 className={classes.name}>{id}</h1>
        {begun ? (
          <span className="muted" title={begun.because}>
            since <When at={begun.at} withAgo />
          </span>
        ) : null}
      </div>
      {unresolved.length > 0 ? (
        <Sentences unresolved={unresolved} service={id} />
      ) : (
        <p>{open.data ? quiet(service, worst) : " "}</p>
      )}
      <MuteLine service={id} />
      <div className={classes.actions}>
        <MuteButton service={id} />
        <Link to="/logs" search={{ service: id }}>
          Logs
        </Link>
        <Link to="/incidents" search={{ service: id }}>
          Incidents
        </Link>
        <span className="muted">
          {counted(service.instances, "instance")}, last seen <When at={service.last_seen_ts} agoOnly />
        </span>
      </div>
    </header>
  );
}

/** What is to be said where no incident is open. */
function quiet(service: Service, worst: Finding | undefined): string {
  switch (service.state) {
    case "early_warning":
      return `No incident is open. Its metrics together are unusual, ${worst?.title ?? "one"} the most; none is past a threshold.`;
    case "no_data":
      return "No incident is open, and there are no samples to judge. The metrics below say why.";
    case "normal":
      return worst?.prediction === "Anomaly"
        ? `No incident is open. ${worst.title} is an anomaly, but short of its thresholds; alone it makes no early warning.`
        : "No incident is open; every metric is as usual.";
    default:
      return "No incident is open yet: what is past its threshold has to last, or be unusual, before one opens.";
  }
}

function Sentences({ unresolved, service }: { unresolved: Incident[]; service: string }) {
  const others = unresolved.length - SENTENCES_MAX;
  return (
    <ul className={classes.sentences}>
      {unresolved.slice(0, SENTENCES_MAX).map((incident) => (
        <li key={incident.id}>
          <State {...ofSeverity(incident.severity)} />{" "}
          <Link to="/incidents/$id" params={{ id: String(incident.id) }}>
            #{incident.id}
          </Link>{" "}
          <Told text={withoutService(incident)} />{" "}
          <span className="muted">
            {incident.firing ? "still going" : "quiet now"}, {incident.status.toLowerCase()}
            {incident.owner ? `, ${incident.owner}` : ", no owner"}
          </span>
        </li>
      ))}
      {others > 0 ? (
        <li>
          <Link to="/incidents" search={{ service }}>
            {others} more
          </Link>
        </li>
      ) : null}
    </ul>
  );
}

/** The page says which service it is. */
function withoutService({ summary, service }: Incident): string {
  return summary.startsWith(`${service}: `) ? summary.slice(service.length + 2) : summary;
}
