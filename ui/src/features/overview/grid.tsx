/** Services as a compact grid: shape, name, worst metric; hundreds on one screen, thousands by state. */
import { Link } from "@tanstack/react-router";
import { memo } from "react";
import { ofService, Shape, State, type Tone } from "@/components/state.tsx";
import { counted } from "@/lib/amount.ts";
import classes from "./grid.module.css";
import type { Group } from "./groups.ts";
import type { Row } from "./rows.ts";

/** Normal services beyond these are folded: nobody reads them one by one. */
const UNFOLDED = 300;
/** More of them stand below their heading, so that they have the whole width. */
const MANY = 60;

export function ServiceGrid({ groups, isSearched }: { groups: Group[]; isSearched: boolean }) {
  return (
    <div className={classes.groups}>
      {groups.map((group) => (
        <States key={group.state} group={group} isSearched={isSearched} />
      ))}
    </div>
  );
}

function States({ group: { state, rows }, isSearched }: { group: Group; isSearched: boolean }) {
  const { tone, word } = ofService(state);
  const isCalm = state === "normal" || state === "no_data";
  if (isCalm && rows.length > UNFOLDED && !isSearched) {
    return (
      <details className={classes.group}>
        <summary className={classes.title}>
          <Title tone={tone} word={word} count={rows.length} />
        </summary>
        <Tiles rows={rows} isCalm={isCalm} />
      </details>
    );
  }
  return (
    <section
      className={`${classes.group} ${isCalm && rows.length > MANY ? classes.wide : ""}`}
      aria-label={`${word}, ${counted(rows.length, "service")}`}
    >
      <h3 className={classes.title}>
        <Title tone={tone} word={word} count={rows.length} />
      </h3>
      <Tiles rows={rows} isCalm={isCalm} />
    </section>
  );
}

function Title({ tone, word, count }: { tone: Tone; word: string; count: number }) {
  return (
    <>
      <State tone={tone} word={word} /> <span className="muted">{count}</span>
    </>
  );
}

function Tiles({ rows, isCalm }: { rows: Row[]; isCalm: boolean }) {
  return (
    <ul className={`${classes.tiles} ${isCalm ? classes.calm : ""}`}>
      {rows.map((row) => (
        <Tile key={row.id} row={row} />
      ))}
    </ul>
  );
}

const Tile = memo(function Tile({ row }: { row: Row }) {
  const { tone, word } = ofService(row.state);
  const metric = row.worst?.words ?? row.nearest;
  const told = metric ? `${row.id}: ${word}, ${metric}` : `${row.id}: ${word}`;
  return (
    <li className={classes.tile}>
      <Link
        to="/services/$service"
        params={{ service: row.id }}
        className={classes.link}
        title={told}
        aria-label={told}
        data-row
        preload={false}
      >
        <Shape tone={tone} />
        <span className={classes.name}>{row.id}</span>
        {metric ? <span className={classes.worst}>{metric}</span> : null}
      </Link>
    </li>
  );
});
