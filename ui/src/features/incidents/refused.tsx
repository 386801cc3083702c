/** Which incidents of many were refused, and why; they stay selected. */
import { Button } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import type { Incident } from "@/api/incidents.ts";
import { counted } from "@/lib/amount.ts";
import type { Outcome } from "./bulk.ts";
import classes from "./list.module.css";

interface Props {
  failed: Outcome["failed"];
  incidents: Incident[];
  onClose: () => void;
}

export function Refused({ failed, incidents, onClose }: Props) {
  if (failed.length === 0) return null;
  const services = new Map(incidents.map(({ id, service }) => [id, service]));
  return (
    <div className={classes.failed} role="alert">
      <p>{counted(failed.length, "incident")} stay as they were, and selected:</p>
      <ul>
        {failed.map(({ id, why }) => (
          <li key={id}>
            <Link to="/incidents/$id" params={{ id: String(id) }}>
              #{id} {services.get(id)}
            </Link>
            : {why}
          </li>
        ))}
      </ul>
      <Button size="xs" variant="default" onClick={onClose}>
        Close
      </Button>
    </div>
  );
}
