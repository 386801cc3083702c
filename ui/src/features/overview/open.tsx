/** What is open of a service, for how long, and who is at it. */
import { Link } from "@tanstack/react-router";
import { length } from "@/lib/time.ts";
import { useNow } from "@/live/clock.ts";
import classes from "./overview.module.css";
import type { Row } from "./rows.ts";

interface Props {
  open: NonNullable<Row["open"]>;
  service: string;
  /** Who is at it instead of for how long. */
  isShort?: boolean;
}

export function Open({ open, service, isShort = false }: Props) {
  const words = `${open.count} open`;
  return (
    <>
      {open.count === 1 ? (
        <Link to="/incidents/$id" params={{ id: String(open.newest) }} aria-label={`${words} of ${service}`}>
          {words}
        </Link>
      ) : (
        <Link to="/incidents" search={{ service }} aria-label={`${words} of ${service}`}>
          {words}
        </Link>
      )}
      , {isShort && open.hands ? <Hands open={open} /> : <Since at={open.since} />}
    </>
  );
}

export function Hands({ open }: { open: NonNullable<Row["open"]> }) {
  return open.hands ? <span className={classes.hands}>{open.hands}</span> : null;
}

function Since({ at }: { at: string }) {
  const now = useNow();
  return <span>{length(now - Date.parse(at))}</span>;
}
