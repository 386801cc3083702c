/** The four times, and where they lie on one axis. */
import type { Incident } from "@/api/incidents.ts";
import { When } from "@/components/when.tsx";
import { ago } from "@/lib/time.ts";
import { useNow } from "@/live/clock.ts";
import classes from "./when.module.css";
import { strip } from "./when.ts";

export function Times({ incident, lastSeen }: { incident: Incident; lastSeen: string }) {
  const now = useNow();
  const { moments, between, isCut } = strip(incident, lastSeen);
  const opened = moments[2]?.place ?? 0;
  return (
    <section className={classes.times} aria-label="When">
      <dl className={classes.list}>
        {moments.map(({ name, at, within }, place) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              <When at={at} />
              {within ? ` ${within}` : null}
              {place === 3 ? `, ${ago(at, now)}` : null}
            </dd>
          </div>
        ))}
      </dl>
      <div className={classes.axis} aria-hidden="true">
        {between ? (
          <span
            className={classes.between}
            style={{ left: `${between.from}%`, width: `${between.to - between.from}%` }}
          />
        ) : null}
        <span className={classes.before} style={{ width: `${opened}%` }} />
        <span
          className={`${classes.since} ${isCut ? classes.cut : ""}`}
          style={{ left: `${opened}%`, width: `${100 - opened}%` }}
        />
        {moments.map(({ name, place }, at) => (
          <span
            key={name}
            className={`${classes.mark} ${place > 90 ? classes.last : ""}`}
            style={{ left: `${place}%` }}
          >
            <span className={at % 2 === 0 ? classes.above : classes.below}>
              {name.split(",")[0]?.toLowerCase()}
            </span>
          </span>
        ))}
      </div>
    </section>
  );
}
