/** The targets of the embedded store, those that are down first. */

import { Button } from "@mantine/core";
import { useState } from "react";
import type { Schemas } from "@/api/client.ts";
import { State } from "@/components/state.tsx";
import { When } from "@/components/when.tsx";
import { number } from "@/lib/amount.ts";
import rows from "./rows.module.css";
import { downFirst } from "./target-order.ts";

const SHOWN_FIRST = 20;

type Target = Schemas["Target"];

export function Targets({ targets }: { targets: Target[] }) {
  const [areAll, setAll] = useState(false);
  if (targets.length === 0) {
    return (
      <p>
        No target is known. They stand in the file that <code>scrape:</code> names.
      </p>
    );
  }
  const sorted = downFirst(targets);
  const shown = areAll ? sorted : sorted.slice(0, SHOWN_FIRST);
  return (
    <>
      <div className={rows.scroll}>
        <table className={rows.wide}>
          <thead>
            <tr>
              <th scope="col">State</th>
              <th scope="col">Instance</th>
              <th scope="col">Job</th>
              <th scope="col">Last scrape</th>
              <th scope="col" className="number">
                Took
              </th>
              <th scope="col" className="number">
                Samples kept
              </th>
              <th scope="col">Address, error</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((target) => (
              <Row key={`${target.job} ${target.instance} ${target.url}`} target={target} />
            ))}
          </tbody>
        </table>
      </div>
      {shown.length < sorted.length ? (
        <div>
          <Button variant="default" size="compact-sm" onClick={() => setAll(true)}>
            Show all {sorted.length} targets
          </Button>
        </div>
      ) : null}
    </>
  );
}

function Row({
  target: { job, instance, url, up, last_scrape_ts, scrape_seconds, samples, kept, error },
}: {
  target: Target;
}) {
  return (
    <tr>
      <td>
        {up === null ? (
          <State tone="none" word="Not asked yet" />
        ) : up ? (
          <State tone="normal" word="Up" />
        ) : (
          <State tone="critical" word="Down" />
        )}
      </td>
      <th scope="row">{instance}</th>
      <td>{job}</td>
      <td>
        <When at={last_scrape_ts} agoOnly />
      </td>
      <td className="number">{up === null ? "" : `${number(scrape_seconds * 1000)}\u202fms`}</td>
      <td className="number">
        {number(kept)} of {number(samples)}
      </td>
      <td>
        <code>{url}</code>
        {error ? <div>{error}</div> : null}
      </td>
    </tr>
  );
}
