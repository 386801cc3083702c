/** One incident of the list. */
import { Link } from "@tanstack/react-router";
import { memo } from "react";
import { ofSeverity, State } from "@/components/state.tsx";
import { Told } from "@/components/told.tsx";
import { When } from "@/components/when.tsx";
import { useNow } from "@/live/clock.ts";
import classes from "./list.module.css";
import type { Row as Shown } from "./order.ts";
import { duration, sentence, statusWord } from "./words.ts";

interface Props {
  row: Shown;
  /** Its place in the list, from 1 on. */
  place: number;
  isSelected: boolean;
  onSelect: (id: number, isRange: boolean) => void;
  onFocus: (id: number) => void;
}

/** Where the keyboard goes to. */
export const anchor = (id: number) => `incident-${id}`;

export const IncidentRow = memo(function IncidentRow({ row, place, isSelected, onSelect, onFocus }: Props) {
  const { incident, isPast } = row;
  const now = useNow();
  const { tone, word } = ofSeverity(incident.severity);
  const text = sentence(incident);
  const looks = `${classes.row} ${isSelected ? classes.selected : ""} ${isPast ? classes.past : ""}`;
  return (
    // One more: the heading is the first row.
    <tr className={looks} aria-rowindex={place + 1} onFocus={() => onFocus(incident.id)}>
      <td className={classes.check}>
        <label className={classes.tick}>
          <input
            type="checkbox"
            checked={isSelected}
            aria-label={`Select #${incident.id} ${incident.service}`}
            onChange={() => {}}
            onClick={(event) => onSelect(incident.id, event.shiftKey)}
          />
        </label>
      </td>
      <td className={classes.state}>
        <State
          tone={incident.kind === "availability" && incident.firing ? "gone" : tone}
          word={incident.kind === "availability" && incident.firing ? "Gone" : word}
        />
      </td>
      <td className={classes.id}>#{incident.id}</td>
      <td className={classes.service} title={incident.service}>
        {incident.service}
      </td>
      <td className={classes.what} title={text}>
        <Link
          id={anchor(incident.id)}
          to="/incidents/$id"
          params={{ id: String(incident.id) }}
          className={classes.link}
        >
          <Told text={text} />
        </Link>
      </td>
      <td className={classes.opened}>
        <When at={incident.opened_ts} withAgo />
      </td>
      <td className={classes.length}>{duration(incident, now)}</td>
      <td className={classes.owner} title={incident.owner ?? undefined}>
        {incident.owner ?? <span className="muted">nobody</span>}
      </td>
      <td className={classes.status}>{isPast ? "no longer in the list" : statusWord(incident)}</td>
    </tr>
  );
});
