/** The list has nothing to show: since when nothing is open, or that the filter matches nothing. */
import { Button } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { lastResolved } from "@/api/incidents.ts";
import { Empty } from "@/components/face.tsx";
import { When } from "@/components/when.tsx";

export function NothingOpen() {
  const last = useQuery(lastResolved());
  const incident = last.data;
  return (
    <Empty title="Nothing is open">
      {incident?.resolution ? (
        <p>
          Since <When at={incident.resolution.at} withAgo />, when{" "}
          <Link to="/incidents/$id" params={{ id: String(incident.id) }}>
            #{incident.id} {incident.service}
          </Link>{" "}
          was resolved by {incident.resolution.by}.{" "}
          <Link to="/incidents" search={{ status: "RESOLVED" }}>
            Show the resolved ones
          </Link>
        </p>
      ) : last.isSuccess ? (
        <p>
          No incident has been resolved so far, either. An incident opens when a metric is past its threshold
          and anomalous.
        </p>
      ) : null}
    </Empty>
  );
}

export function NothingMatches({ onClear }: { onClear: () => void }) {
  return (
    <Empty title="No incident matches the filter">
      <Button variant="default" size="xs" onClick={onClear}>
        Clear filter
      </Button>
    </Empty>
  );
}
