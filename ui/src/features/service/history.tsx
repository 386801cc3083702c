/** A chart per metric over one range, with what changed and which incidents there were. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useMemo, useRef, useState } from "react";
import { events } from "@/api/events.ts";
import { type CatalogueMetric, catalogue, type Finding, type Series, seriesIn } from "@/api/services.ts";
import { ChartKey } from "@/components/chart/key.tsx";
import type { Mark } from "@/components/chart/shown.ts";
import { Chart } from "@/components/chart.tsx";
import { Copy } from "@/components/copy.tsx";
import { DecisionDialog } from "@/components/decision.tsx";
import { Shown } from "@/components/face.tsx";
import { Ranges } from "@/components/ranges.tsx";
import { State } from "@/components/state.tsx";
import { rangeOf, seconds, span } from "@/lib/time.ts";
import { changeText, inOrder, stateOf, worstFirst } from "./build.ts";
import classes from "./history.module.css";
import { ageOf, type Ranging } from "./range.ts";
import { useSeen } from "./seen.ts";

const POINTS = 600;
const MINUTE = 60_000;

interface Props {
  service: string;
  findings: Finding[];
  evaluated: string | null;
  ranging: Ranging;
}

export function History({ service, findings, evaluated, ranging }: Props) {
  // Charts keep their places for as long as the service is looked at; the rows above say what is worst now.
  const [order] = useState(() => worstFirst(findings).map(({ id }) => id));
  const known = useQuery(catalogue()).data;
  const changes = useChanges(service, ranging.range, evaluated);
  const age = ageOf(ranging.range, evaluated ? Date.parse(evaluated) : Date.now(), POINTS);
  const [asked, setAsked] = useState<Finding | null>(null);
  return (
    <section aria-labelledby="history" className={classes.history}>
      <div className={classes.head}>
        <h2 id="history">History</h2>
        <Ranges value={ranging.range} onChange={ranging.choose} />
      </div>
      <ChartKey />
      <p className={`muted ${classes.hint} ${classes.mouse}`}>
        Draw over a stretch to zoom all charts, double-click to go back; in a focused chart ← → move, + −
        zoom, 0 goes back.
      </p>
      <div className={classes.charts}>
        {inOrder(findings, order).map((finding) => (
          <MetricChart
            key={finding.id}
            finding={finding}
            measured={known?.find(({ id }) => id === finding.id)}
            changes={changes}
            ranging={ranging}
            age={age}
            onWhy={() => setAsked(finding)}
          />
        ))}
      </div>
      {asked ? (
        <DecisionDialog
          service={service}
          metric={asked.id}
          title={asked.title}
          at={evaluated}
          onClose={() => setAsked(null)}
        />
      ) : null}
    </section>
  );
}

const NONE: Mark[] = [];

/** Posted changes of the service and of the fleet; asked anew each minute while the range moves. */
function useChanges(service: string, range: string, evaluated: string | null): Mark[] {
  const now = evaluated ? Date.parse(evaluated) : Date.now();
  const minute = Math.floor(now / MINUTE) * MINUTE;
  const { from, to } = rangeOf(range, minute + MINUTE) ?? { from: minute, to: minute };
  const early = span(range) === null ? from : from - MINUTE;
  const { data } = useQuery({
    ...events({ service, from: seconds(early), to: seconds(to) }),
    placeholderData: keepPreviousData,
  });
  return useMemo(() => data?.map((event) => ({ at: event.at, text: changeText(event) })) ?? NONE, [data]);
}

interface OfMetric {
  finding: Finding;
  measured: CatalogueMetric | undefined;
  changes: Mark[];
  ranging: Ranging;
  /** See {@link ageOf}. */
  age: string | undefined;
  onWhy: () => void;
}

function MetricChart({ finding, measured, changes, ranging, age, onWhy }: OfMetric) {
  const box = useRef<HTMLElement>(null);
  const isSeen = useSeen(box);
  const { service, id: metric, title } = finding;
  const query = useQuery({
    ...seriesIn({ service, metric, range: ranging.range, points: POINTS }, age),
    placeholderData: keepPreviousData,
    enabled: isSeen,
  });
  return (
    <section
      ref={box}
      id={`metric-${metric}`}
      className={classes.metric}
      aria-labelledby={`metric-${metric}-title`}
    >
      <div className={classes.head}>
        <h3 id={`metric-${metric}-title`}>{title}</h3>
        <State {...stateOf(finding)} />
        <div className={classes.tools}>
          <button type="button" className="tool" onClick={onWhy} aria-label={`why, ${title}`}>
            why
          </button>
          {measured ? <Copy text={measured.query} label="copy query" of={title} /> : null}
          {measured?.fallback ? <Copy text={measured.fallback} label="copy fallback" of={title} /> : null}
        </div>
      </div>
      <div className={classes.chart}>
        <Shown what={`the history of ${title}`} query={query}>
          {(data) => (
            <Drawn data={data} service={service} title={title} changes={changes} ranging={ranging} />
          )}
        </Shown>
      </div>
    </section>
  );
}

interface DrawnProps {
  data: Series;
  service: string;
  title: string;
  changes: Mark[];
  ranging: Ranging;
}

function Drawn({ data, service, title, changes, ranging }: DrawnProps) {
  const { range, zoom, reset } = ranging;
  // A span ends at the server's present; two instants are shown at once, before their samples are there.
  const ends = span(range) === null ? rangeOf(range, 0) : null;
  return (
    <>
      <Chart
        title={`${service}, ${title}`}
        unit={data.unit}
        points={data.points}
        gaps={data.gaps}
        incidents={data.incidents}
        high={data.high}
        critical={data.critical}
        changes={changes}
        range={ends ?? { from: Date.parse(data.from), to: Date.parse(data.to) }}
        onRange={zoom}
        onReset={reset}
        sync="service"
      />
      {data.step_seconds !== null ? (
        <p className={`muted ${classes.hint}`}>
          {data.samples.toLocaleString("en")} samples; of each stretch the lowest, the highest and the worst
          are drawn.
        </p>
      ) : null}
    </>
  );
}
