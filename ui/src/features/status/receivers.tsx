/** Who is told of incidents, and whether that works. */
import { useQuery } from "@tanstack/react-query";
import { type Receiver, receivers } from "@/api/status.ts";
import { Shown } from "@/components/face.tsx";
import { State } from "@/components/state.tsx";
import { When } from "@/components/when.tsx";
import rows from "./rows.module.css";
import { concernOf, countsOf, stateOfReceiver } from "./words.ts";

export function Receivers() {
  const query = useQuery(receivers());
  return (
    <Shown what="the receivers" query={query}>
      {(all) =>
        all.length === 0 ? (
          <p>
            No receiver is configured, so nobody is told. Set <code>notify.receivers</code> in{" "}
            <code>config.yaml</code> and reload.
          </p>
        ) : (
          <ul className={rows.rows} aria-label="Receivers">
            {all.map((receiver) => (
              <Row key={receiver.name} receiver={receiver} />
            ))}
          </ul>
        )
      }
    </Shown>
  );
}

function Row({ receiver }: { receiver: Receiver }) {
  const { name, kind, address, oldest_pending_ts, next_attempt_ts, last_delivered_ts, last_error } = receiver;
  return (
    <li className={rows.row}>
      <State {...stateOfReceiver(receiver)} />
      <strong>{name}</strong>
      <span>
        {kind}, <code>{address}</code>
      </span>
      <span>{concernOf(receiver)}</span>
      <span>{countsOf(receiver)}</span>
      {last_delivered_ts ? (
        <span className="muted">
          last delivered <When at={last_delivered_ts} withAgo />
        </span>
      ) : null}
      {oldest_pending_ts ? (
        <span>
          oldest pending <When at={oldest_pending_ts} withAgo />
        </span>
      ) : null}
      {last_error ? (
        <span className={receiver.failing ? rows.error : "muted"}>
          {receiver.failing ? "" : "last error: "}
          {last_error}
          {next_attempt_ts ? (
            <>
              ; tried again <When at={next_attempt_ts} agoOnly />
            </>
          ) : null}
        </span>
      ) : null}
    </li>
  );
}
