/** A sentence whose names lead to services and whose instants have UTC on hover. */
import { Link } from "@tanstack/react-router";
import { Fragment } from "react";
import { When } from "@/components/when.tsx";
import type { Part } from "./headline.ts";
import classes from "./overview.module.css";

export function Sentence({ parts }: { parts: Part[] }) {
  return parts.map((part, at) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: parts of a sentence have no other name than their place.
    <Fragment key={at}>
      <Shown part={part} />
    </Fragment>
  ));
}

function Shown({ part }: { part: Part }) {
  if (typeof part === "string") return part;
  if ("at" in part) return <When at={new Date(part.at).toISOString()} />;
  if ("incidents" in part) {
    return <Link to="/incidents">{part.incidents}</Link>;
  }
  return (
    <Link to="/services/$service" params={{ service: part.service }} className={classes.service}>
      {part.service}
    </Link>
  );
}
