/** How unusual it is: the past of a metric with what was expected, and the reasons in words and numbers. */
import { NativeSelect } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import type { Schemas } from "@/api/client.ts";
import type { Incident } from "@/api/incidents.ts";
import { series } from "@/api/services.ts";
import { Chart } from "@/components/chart.tsx";
import { Copy } from "@/components/copy.tsx";
import { DecisionDialog } from "@/components/decision.tsx";
import { Shown } from "@/components/face.tsx";
import { Judges } from "@/components/judges.tsx";
import { Told } from "@/components/told.tsx";
import { When } from "@/components/when.tsx";
import { type Range, seconds } from "@/lib/time.ts";
import { scoreInWords } from "@/lib/words.ts";
import { changeLines } from "./changes.ts";
import { Section } from "./section.tsx";
import classes from "./unusual.module.css";
import { sentences, shares } from "./unusual.ts";

const POINTS = 800;

interface Props {
  incident: Incident;
  metric: string;
  metrics: { id: string; title: string; query: string | null }[];
  range: Range;
  onMetric: (metric: string) => void;
  onRange: (range: Range) => void;
  onReset: (() => void) | null;
}

export function HowUnusual({ incident, metric, metrics, range, onMetric, onRange, onReset }: Props) {
  const query = useQuery({
    ...series({
      service: incident.service,
      metric,
      from: seconds(range.from),
      to: seconds(range.to),
      points: POINTS,
    }),
    // Another stretch of the same metric comes in its place; another metric is nothing like it.
    placeholderData: (before: Schemas["Series"] | undefined) =>
      before?.metric === metric && before.service === incident.service ? before : undefined,
  });
  const shown = metrics.find(({ id }) => id === metric);
  const title = shown?.title ?? metric;
  const unusual = incident.explanation?.how_unusual.find((one) => one.metric === metric);
  const changed = incident.explanation?.what_changed.items;
  const changes = useMemo(
    () => changeLines(changed ?? []).map(({ at, kind }) => ({ at, text: kind })),
    [changed],
  );
  const onset = incident.members.find((one) => one.metric === metric)?.onset_ts ?? incident.onset_ts;
  const marks = useMemo(() => [{ at: onset, text: "onset" }], [onset]);
  return (
    <Section
      title={metrics.length > 1 ? "How unusual" : `How unusual: ${title}`}
      aside={
        <span className={classes.tools}>
          {metrics.length > 1 ? (
            <NativeSelect
              aria-label="Metric"
              size="xs"
              value={metric}
              data={metrics.map(({ id, title }) => ({ value: id, label: title }))}
              onChange={(event) => onMetric(event.currentTarget.value)}
            />
          ) : null}
          {onReset ? (
            <button type="button" className="link" onClick={onReset}>
              back to the incident
            </button>
          ) : null}
          {shown?.query ? <Copy text={shown.query} label="copy query" of={title} /> : null}
        </span>
      }
    >
      <div className={classes.chart}>
        <Shown what={`the past of ${title}`} query={query}>
          {(data) => (
            <Chart
              title={`${incident.service}, ${title}`}
              unit={data.unit}
              points={data.points}
              gaps={data.gaps}
              incidents={data.incidents}
              high={data.high}
              critical={data.critical}
              changes={changes}
              marks={marks}
              range={range}
              onRange={onRange}
              onReset={onReset ?? undefined}
              height={220}
            />
          )}
        </Shown>
      </div>
      {unusual ? (
        <Reasons incident={incident} unusual={unusual} />
      ) : (
        <p className="muted">
          {incident.kind === "availability"
            ? "Nothing is measured of a service that is gone: its absence is the finding."
            : "Nothing was noted of this metric when it joined."}
        </p>
      )}
    </Section>
  );
}

function Reasons({ incident, unusual }: { incident: Incident; unusual: Schemas["Unusual"] }) {
  const bars = shares(unusual.contributions);
  const [isAsked, setAsked] = useState(false);
  return (
    <div className={classes.reasons}>
      <p>
        <Told text={sentences(unusual)} />{" "}
        <button type="button" className="link" onClick={() => setAsked(true)}>
          the decision
        </button>
      </p>
      {isAsked ? (
        <DecisionDialog
          service={incident.service}
          metric={unusual.metric}
          title={unusual.title}
          // Its sample is some seconds older than the decision that opened the incident.
          at={unusual.at < incident.opened_ts ? incident.opened_ts : unusual.at}
          onClose={() => setAsked(false)}
        />
      ) : null}
      <details>
        <summary>The numbers of the model</summary>
        {unusual.score === null ? null : <p>Score {scoreInWords(unusual.score, unusual.score_limit)}.</p>}
        <Judges components={unusual.components} />
        <table>
          <caption className="visually-hidden">What the forest looked at, and the model</caption>
          <tbody>
            {bars.map(({ feature, width, text }) => (
              <tr key={feature}>
                <th scope="row">Forest: {feature}</th>
                <td>
                  <span className={classes.contribution}>
                    <span className={classes.track}>
                      <span className={classes.bar} style={{ width: `${width}%` }} />
                    </span>
                    {text}
                  </span>
                </td>
              </tr>
            ))}
            {unusual.model ? (
              <tr>
                <th scope="row">Model</th>
                <td>
                  <code>{unusual.model}</code>, trained <When at={unusual.model_trained_at} />
                </td>
              </tr>
            ) : null}
          </tbody>
        </table>
      </details>
    </div>
  );
}
