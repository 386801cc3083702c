/** The parts of Bellwether from the worst down. */
import { Link } from "@tanstack/react-router";
import { State } from "@/components/state.tsx";
import { Told } from "@/components/told.tsx";
import type { Part } from "./part.ts";
import classes from "./part-list.module.css";

export function PartList({ parts }: { parts: Part[] }) {
  return (
    <ul className={classes.parts}>
      {parts.map((part) => (
        <li key={part.id} className={classes.part}>
          <strong className={classes.name}>{part.name}</strong>
          <State tone={part.tone} word={part.word} />
          <p className={classes.facts}>
            {part.facts.map((fact) => (
              <span key={fact}>
                <Told text={fact} />{" "}
              </span>
            ))}
            {part.more ? (
              <Link to="/status" search={true} hash={part.more} className={classes.more}>
                more<span className="visually-hidden"> on {part.name.toLowerCase()}</span>
              </Link>
            ) : null}
          </p>
        </li>
      ))}
    </ul>
  );
}
