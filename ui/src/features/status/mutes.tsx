/** Services of which nobody is told: who muted them, until when, and why; muting one more. */
import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { services } from "@/api/services.ts";
import { type Mute, mute, mutes, unmute } from "@/api/status.ts";
import { Shown } from "@/components/face.tsx";
import { When } from "@/components/when.tsx";
import { useOperator } from "@/operating/operator.tsx";
import { useChange } from "./change.ts";
import rows from "./rows.module.css";
import { Refusal } from "./section.tsx";
import { mutesOfServices, SPANS } from "./words.ts";

const CONCERNS = [["mutes"], ["status"], ["notices"]];

export function Mutes() {
  const query = useQuery(mutes());
  return (
    <>
      <h3>Muted services</h3>
      <Shown what="the mutes" query={query}>
        {(all) => {
          const muted = mutesOfServices(all);
          return muted.length === 0 ? (
            <p className="muted">No service is muted.</p>
          ) : (
            <ul className={rows.rows} aria-label="Muted services">
              {muted.map((one) => (
                <Row key={one.id} mute={one} />
              ))}
            </ul>
          );
        }}
      </Shown>
      <MuteForm />
    </>
  );
}

function Row({ mute: { id, service, by, from, until, note } }: { mute: Mute }) {
  const { mayChange } = useOperator();
  const ending = useChange({
    ask: unmute,
    done: (ended) => `${ended.service} is told of again`,
    concerns: CONCERNS,
  });
  return (
    <li className={rows.row}>
      <strong>{service}</strong>
      <span>
        {until ? (
          <>
            until <When at={until} withAgo />
          </>
        ) : (
          "until it is ended"
        )}
      </span>
      <span className="muted">
        by {by}, <When at={from} withAgo />
      </span>
      {note ? <span>{note}</span> : null}
      <Button
        className={rows.end}
        variant="default"
        size="compact-sm"
        disabled={!mayChange}
        loading={ending.isRunning}
        onClick={() => void ending.run(id)}
        aria-label={`End the mute of ${service}`}
      >
        End
      </Button>
    </li>
  );
}

function MuteForm() {
  const known = useQuery(services());
  const { mayChange } = useOperator();
  const [service, setService] = useState("");
  const [span, setSpan] = useState("1h");
  const [note, setNote] = useState("");
  const muting = useChange({
    ask: () => mute(service, span || null, note.trim() || undefined),
    done: (made) => `${made.service} is muted`,
    concerns: CONCERNS,
  });
  const names = (known.data ?? []).map(({ id }) => id).toSorted((one, other) => one.localeCompare(other));
  const submit = async () => {
    if (!(await muting.run(undefined))) return;
    setService("");
    setNote("");
  };
  return (
    <form
      className={rows.form}
      aria-label="Mute a service"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <NativeSelect
        label="Mute"
        data={[{ value: "", label: "choose a service" }, ...names]}
        value={service}
        disabled={!mayChange}
        onChange={(event) => setService(event.currentTarget.value)}
      />
      <NativeSelect
        label="For"
        data={SPANS}
        value={span}
        disabled={!mayChange}
        onChange={(event) => setSpan(event.currentTarget.value)}
      />
      <TextInput
        className={rows.note}
        label="Note"
        value={note}
        disabled={!mayChange}
        onChange={(event) => setNote(event.currentTarget.value)}
      />
      <Button
        type="submit"
        variant="default"
        disabled={!mayChange || service === ""}
        loading={muting.isRunning}
      >
        Mute
      </Button>
      <Refusal of={mayChange ? null : "Viewers can't mute: it takes the role operator."} />
    </form>
  );
}
