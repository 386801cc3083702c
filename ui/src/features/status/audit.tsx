/** What people asked to change: who, what, what came of it, from where. */

import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { me } from "@/api/access.ts";
import { audit } from "@/api/audit.ts";
import { Failed, Loading } from "@/components/face.tsx";
import { Older } from "@/components/older.tsx";
import { When } from "@/components/when.tsx";
import { useOperator } from "@/operating/operator.tsx";
import rows from "./rows.module.css";
import { cameOf } from "./words.ts";

export function Audit() {
  const { isAdmin } = useOperator();
  // Asking without the role would be refused, and stand in the trail itself: until it is known who
  // asks, `isAdmin` is a guess.
  const who = useQuery(me());
  const query = useInfiniteQuery({ ...audit(), enabled: who.data?.role === "admin" });
  if (!isAdmin) return <p className="muted">The audit trail is shown to the role admin.</p>;
  if (!query.data) {
    return query.isError ? (
      <Failed what="the audit trail" error={query.error} again={() => void query.refetch()} />
    ) : (
      <Loading what="the audit trail" />
    );
  }
  const entries = query.data.pages.flatMap((page) => page.items);
  if (entries.length === 0) return <p className="muted">Nothing was changed yet.</p>;
  return (
    <>
      <div className={rows.scroll}>
        <table className={rows.wide}>
          <thead>
            <tr>
              <th scope="col">When</th>
              <th scope="col">Who</th>
              <th scope="col">What</th>
              <th scope="col">Came of it</th>
              <th scope="col">From</th>
            </tr>
          </thead>
          <tbody>
            {entries.map((entry) => (
              <tr key={entry.id}>
                <td>
                  <When at={entry.at} withAgo />
                </td>
                <th scope="row">
                  {entry.actor}
                  {entry.verified ? "" : " (unverified)"}
                </th>
                <td>
                  <span title={entry.action}>{entry.target}</span>
                </td>
                <td>{cameOf(entry)}</td>
                <td>{entry.address}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <Older of={query} />
    </>
  );
}
