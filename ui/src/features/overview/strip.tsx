/** Who moved first: onsets on one time axis, the earliest on top. */
import { Link } from "@tanstack/react-router";
import { memo } from "react";
import { Ranges } from "@/components/ranges.tsx";
import { Shape } from "@/components/state.tsx";
import { local, type Range, utc } from "@/lib/time.ts";
import { type Onset, placed, ticksOf } from "./onsets.ts";
import classes from "./strip.module.css";

interface Props {
  onsets: Onset[];
  axis: Range;
  range: string;
  /** More than these are told by their number. */
  most: number;
  onRange: (range: string) => void;
}

export const Strip = memo(function Strip({ onsets, axis, range, most, onRange }: Props) {
  const inside = onsets.flatMap((onset) => {
    const place = placed(onset, axis);
    return place ? [{ onset, place }] : [];
  });
  const shown = inside.slice(0, most);
  const before = onsets.length - inside.length;
  return (
    <section aria-labelledby="moved" className={classes.strip}>
      <div className={classes.head}>
        <h2 id="moved">Who moved first</h2>
        <Ranges value={range} onChange={onRange} />
        {inside.length > most ? (
          <span className="muted">
            {inside.length - most} more moved later; <Link to="/incidents">all incidents</Link>
          </span>
        ) : null}
      </div>
      {shown.length > 0 ? (
        <>
          <ol className={classes.rows}>
            {shown.map(({ onset, place }) => (
              <Moved key={`${onset.service} ${onset.incident}`} onset={onset} place={place} now={axis.to} />
            ))}
          </ol>
          <Axis axis={axis} />
        </>
      ) : (
        <p className="muted">
          Nothing moved in this range that is not resolved, and there is no early warning.
        </p>
      )}
      {before > 0 ? (
        <p className="muted">
          {before === 1 ? "One that is" : `${before} that are`} not resolved {before === 1 ? "lies" : "lie"}{" "}
          outside this range.
        </p>
      ) : null}
    </section>
  );
});

function Moved({
  onset,
  place,
  now,
}: {
  onset: Onset;
  place: { left: number; width: number; isBefore: boolean };
  now: number;
}) {
  const time = local(onset.from, now);
  const isLeft = place.left > 25;
  const label = (
    <time
      className={`${classes.time} ${isLeft ? classes.before : classes.after}`}
      dateTime={new Date(onset.from).toISOString()}
      title={utc(onset.from)}
      style={
        isLeft ? { right: `${100 - place.left}%` } : { left: `${Math.min(place.left + place.width, 100)}%` }
      }
    >
      {time}
    </time>
  );
  const hasRoom = isLeft || place.left + place.width < 75;
  return (
    <li className={classes.row}>
      <span className={classes.who}>
        <Shape tone={onset.tone} />
        {onset.incident === null ? (
          <Link to="/services/$service" params={{ service: onset.service }} className={classes.name}>
            {onset.service}
          </Link>
        ) : (
          <Link to="/incidents/$id" params={{ id: String(onset.incident) }} className={classes.name}>
            {onset.service}
          </Link>
        )}
        <span className="visually-hidden">
          , {onset.word}
          {onset.to === null ? "" : ", quiet"}, since {time}
        </span>
      </span>
      <span className={classes.lane} aria-hidden="true">
        <span
          className={`${classes.bar} ${classes[onset.tone] ?? ""} ${onset.to === null ? "" : classes.quiet}`}
          style={{ left: `${place.left}%`, width: `max(3px, ${place.width}%)` }}
          title={`${onset.word}${onset.to === null ? "" : ", quiet"}, since ${time}`}
        >
          {hasRoom ? null : <span className={classes.within}>{time}</span>}
        </span>
        {hasRoom ? label : null}
      </span>
    </li>
  );
}

const minutes = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const days = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short" });

function Axis({ axis }: { axis: Range }) {
  const isLong = axis.to - axis.from > 2 * 86_400_000;
  return (
    <div className={classes.axis} aria-hidden="true">
      {ticksOf(axis, 6).map((at) => {
        const left = ((at - axis.from) / (axis.to - axis.from)) * 100;
        if (left < 3 || left > 97) return null;
        return (
          <span key={at} className={classes.tick} style={{ left: `${left}%` }}>
            {(isLong ? days : minutes).format(at)}
          </span>
        );
      })}
    </div>
  );
}
