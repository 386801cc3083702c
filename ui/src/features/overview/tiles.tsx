/** One service of the grid: in two small lines where nothing is to be done, with its proof where something is. */
import { Link } from "@tanstack/react-router";
import { memo } from "react";
import { Sparkline } from "@/components/sparkline.tsx";
import { ofService, Shape, State } from "@/components/state.tsx";
import { local } from "@/lib/time.ts";
import { Open } from "./open.tsx";
import type { Row } from "./rows.ts";
import classes from "./tiles.module.css";

/** Shape, name, and the worst metric: its value first, as that must not be cut off. */
export const Tile = memo(function Tile({ row }: { row: Row }) {
  const { tone, word } = ofService(row.state);
  const metric = row.worst ?? row.nearest;
  const seen = seenOf(row);
  const told = metric?.words ?? seen;
  const all = told ? `${row.id}: ${word}, ${told}` : `${row.id}: ${word}`;
  return (
    <li className={classes.tile}>
      <Link
        to="/services/$service"
        params={{ service: row.id }}
        className={classes.link}
        title={all}
        aria-label={all}
        data-row
        preload={false}
      >
        <span className={classes.name}>
          <Shape tone={tone} size={10} />
          <span className={classes.cut}>{row.id}</span>
        </span>
        <span className={classes.metric}>{metric ? `${metric.value} ${metric.title}` : seen}</span>
      </Link>
    </li>
  );
});

/** To the minute: there is no room for more. */
function seenOf({ seen }: Row): string | null {
  return seen ? `seen ${local(seen, Date.now()).replace(/:\d\d$/, "")}` : null;
}

/** State in words, the worst metric with its line, and what is open. */
export const Detail = memo(function Detail({ row }: { row: Row }) {
  const { tone, word } = ofService(row.state);
  const { worst } = row;
  const line = worst?.values ? (
    <Sparkline
      values={worst.values}
      tone={worst.tone}
      label={`${worst.title} of ${row.id}, last hour`}
      width={56}
      height={16}
    />
  ) : null;
  return (
    <li className={`${classes.detail} ${classes[tone] ?? ""}`}>
      <span className={classes.head}>
        <State tone={tone} word={word} />
        <Link
          to="/services/$service"
          params={{ service: row.id }}
          className={classes.service}
          title={row.id}
          data-row
          preload={false}
        >
          {row.id}
        </Link>
        {row.open ? line : null}
      </span>
      <span className={classes.proof}>
        <span className={classes.value} title={worst?.words}>
          {worst?.words ?? seenOf(row)}
        </span>
        {row.open ? (
          <span className={classes.open}>
            <Open open={row.open} service={row.id} isShort />
          </span>
        ) : (
          line
        )}
      </span>
    </li>
  );
});
