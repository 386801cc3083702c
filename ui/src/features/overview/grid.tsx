/** Services as a compact grid: what is wrong with its proof, the rest small; hundreds on one screen, thousands by state. */
import type { CSSProperties } from "react";
import { ofService, State } from "@/components/state.tsx";
import { counted } from "@/lib/amount.ts";
import classes from "./grid.module.css";
import { type Group, isCalm, isTold } from "./groups.ts";
import { Detail, Tile } from "./tiles.tsx";

/** Normal services beyond these are folded: nobody reads them one by one. */
const UNFOLDED = 300;

interface Props {
  groups: Group[];
  /** What a tile needs for its name, whichever are shown. */
  width: number;
  isSearched: boolean;
}

export function ServiceGrid({ groups, width, isSearched }: Props) {
  const troubled = groups.filter(({ state }) => !isCalm(state)).flatMap(({ rows }) => rows);
  const hasDetails = troubled.length > 0 && isTold(troubled.length);
  return (
    <div className={classes.groups} style={widthOf(width)}>
      {hasDetails ? (
        <section className={classes.part}>
          <h3 className="visually-hidden">Not as usual: {counted(troubled.length, "service")}</h3>
          <ul className={classes.details}>
            {troubled.map((row) => (
              <Detail key={row.id} row={row} />
            ))}
          </ul>
        </section>
      ) : null}
      {groups
        .filter(({ state }) => !hasDetails || isCalm(state))
        .map((group) => (
          <States
            key={group.state}
            group={group}
            isFolded={isCalm(group.state) && group.rows.length > UNFOLDED && !isSearched}
          />
        ))}
    </div>
  );
}

function widthOf(width: number): CSSProperties {
  return { "--tile": `${width}px` } as CSSProperties;
}

function States({ group: { state, rows }, isFolded }: { group: Group; isFolded: boolean }) {
  const { tone, word } = ofService(state);
  const title = (
    <>
      <State tone={tone} word={word} /> <span className="muted">{rows.length}</span>
    </>
  );
  const tiles = rows.map((row) => <Tile key={row.id} row={row} />);
  if (isFolded) {
    return (
      <details className={classes.part}>
        <summary className={classes.title}>{title}</summary>
        <ul className={classes.tiles}>{tiles}</ul>
      </details>
    );
  }
  return (
    <section
      className={`${classes.part} ${classes.tiles}`}
      aria-label={`${word}, ${counted(rows.length, "service")}`}
    >
      <h3 className={classes.title}>{title}</h3>
      <ul className={classes.within}>{tiles}</ul>
    </section>
  );
}
