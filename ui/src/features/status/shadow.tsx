/** Shadow mode: everything is decided and recorded, and nobody is told. */
import { Button, Modal, NativeSelect, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { type Mute, mutes, setShadow } from "@/api/status.ts";
import { Shown } from "@/components/face.tsx";
import { State } from "@/components/state.tsx";
import { When } from "@/components/when.tsx";
import { useOperator } from "@/operating/operator.tsx";
import { useChange } from "./change.ts";
import rows from "./rows.module.css";
import { Refusal } from "./section.tsx";
import { SPANS, shadowOf } from "./words.ts";

export function Shadow() {
  const query = useQuery(mutes());
  return (
    <>
      <h3>Shadow mode</h3>
      <Shown what="shadow mode" query={query}>
        {(all) => <Switch shadow={shadowOf(all)} />}
      </Shown>
    </>
  );
}

function Switch({ shadow }: { shadow: Mute | null }) {
  const { isAdmin } = useOperator();
  const [isAsking, setAsking] = useState(false);
  return (
    <>
      <div className={rows.buttons}>
        {shadow ? <State tone="high" word="On" /> : <State tone="normal" word="Off" />}
        {shadow ? (
          <span>
            nobody is told of anything{" "}
            {shadow.until ? (
              <>
                until <When at={shadow.until} withAgo />
              </>
            ) : (
              "until it is turned off"
            )}
            , set by {shadow.by} at <When at={shadow.from} />
            {shadow.note ? `: ${shadow.note}` : ""}
          </span>
        ) : (
          <span>incidents are told to the receivers</span>
        )}
        <Button variant="default" size="compact-sm" disabled={!isAdmin} onClick={() => setAsking(true)}>
          {shadow ? "Turn off…" : "Turn on…"}
        </Button>
        <Refusal of={isAdmin ? null : "It takes the role admin."} />
      </div>
      <Modal
        opened={isAsking}
        onClose={() => setAsking(false)}
        title={`Turn shadow mode ${shadow ? "off" : "on"}`}
        centered
      >
        <Form isOn={shadow !== null} onClose={() => setAsking(false)} />
      </Modal>
    </>
  );
}

function Form({ isOn, onClose }: { isOn: boolean; onClose: () => void }) {
  const [span, setSpan] = useState("4h");
  const [note, setNote] = useState("");
  const change = useChange({
    ask: () => (isOn ? setShadow(false, null) : setShadow(true, span || null, note.trim() || undefined)),
    done: (now) => `Shadow mode is ${now.on ? "on" : "off"}`,
    concerns: [["mutes"], ["status"], ["notices"]],
  });
  const submit = async () => {
    if (await change.run(undefined)) onClose();
  };
  return (
    <form
      className={rows.column}
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      {isOn ? (
        <p>Receivers are told of incidents again, and of those that fire now.</p>
      ) : (
        <>
          <p>
            Nobody is told of anything while it is on. Incidents are recorded as ever, and what still fires
            when it ends is told then.
          </p>
          <NativeSelect
            label="For"
            data={SPANS}
            value={span}
            onChange={(event) => setSpan(event.currentTarget.value)}
          />
          <TextInput label="Note" value={note} onChange={(event) => setNote(event.currentTarget.value)} />
        </>
      )}
      <div className={rows.buttons}>
        <Button type="submit" loading={change.isRunning}>
          {isOn ? "Turn off" : "Turn on"}
        </Button>
        <Button variant="default" onClick={onClose}>
          Cancel
        </Button>
      </div>
    </form>
  );
}
