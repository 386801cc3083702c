/** What an operator can do about it. */
import { Button, Menu, Modal, TextInput } from "@mantine/core";
import { useState } from "react";
import type { Action, Incident } from "@/api/incidents.ts";
import { useFocusBack } from "@/lib/focus.ts";
import { useKeys } from "@/lib/keys.ts";
import { useIncidentAction } from "@/operating/actions.ts";
import { NoteDialog } from "@/operating/note.tsx";
import { useOperator } from "@/operating/operator.tsx";
import classes from "./actions.module.css";
import { snoozes } from "./snoozes.ts";

type Asking = "comment" | "resolve" | "assign" | null;

export function Actions({ incident }: { incident: Incident }) {
  const operator = useOperator();
  const { run, isRunning } = useIncidentAction();
  const [asking, setAsking] = useState<Asking>(null);
  const isResolved = incident.status === "RESOLVED";
  const canAct = operator.mayChange && !isRunning;
  const act = (action: Action) => {
    setAsking(null);
    if (operator.mayChange) void run(incident, action);
  };
  const takeOn = async () => {
    const name = await operator.named();
    if (name) act({ do: "assign", owner: name });
  };
  useKeys({
    a: () => {
      if (canAct && incident.status === "OPEN") act({ do: "ack" });
    },
    r: () => {
      if (canAct && !isResolved) setAsking("resolve");
    },
    c: () => {
      if (canAct) setAsking("comment");
    },
  });
  const menu = { size: "sm", variant: "default", disabled: !canAct } as const;
  return (
    <div className={classes.actions}>
      {isResolved ? (
        <Button size="sm" disabled={!canAct} onClick={() => act({ do: "reopen" })}>
          Reopen
        </Button>
      ) : (
        <Button
          size="sm"
          variant={incident.status === "OPEN" ? "filled" : "default"}
          disabled={!canAct}
          onClick={() => act(incident.status === "OPEN" ? { do: "ack" } : { do: "reopen" })}
        >
          {incident.status === "OPEN" ? "Acknowledge" : "Take acknowledgement back"}
        </Button>
      )}
      <Menu position="bottom-start">
        <Menu.Target>
          <Button {...menu}>Assign</Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item
            disabled={incident.owner !== null && incident.owner === operator.name}
            onClick={() => void takeOn()}
          >
            To me
          </Menu.Item>
          <Menu.Item disabled={incident.owner === null} onClick={() => act({ do: "assign", owner: null })}>
            To nobody
          </Menu.Item>
          <Menu.Item onClick={() => setAsking("assign")}>To somebody else…</Menu.Item>
        </Menu.Dropdown>
      </Menu>
      {isResolved ? null : (
        <Menu position="bottom-start">
          <Menu.Target>
            <Button {...menu}>Snooze</Button>
          </Menu.Target>
          <Menu.Dropdown>
            {snoozes(Date.now()).map(({ label, action }) => (
              <Menu.Item key={label} onClick={() => act(action)}>
                {label}
              </Menu.Item>
            ))}
            {incident.snoozed ? (
              <>
                <Menu.Divider />
                <Menu.Item onClick={() => act({ do: "snooze", until: null })}>Wake now</Menu.Item>
              </>
            ) : null}
          </Menu.Dropdown>
        </Menu>
      )}
      <Menu position="bottom-start">
        <Menu.Target>
          <Button {...menu}>Set severity</Button>
        </Menu.Target>
        <Menu.Dropdown>
          {(["Critical", "High"] as const).map((severity) => (
            <Menu.Item
              key={severity}
              disabled={incident.severity_set && incident.severity === severity}
              onClick={() => act({ do: "severity", severity })}
            >
              {severity}
            </Menu.Item>
          ))}
          <Menu.Item
            disabled={!incident.severity_set}
            onClick={() => act({ do: "severity", severity: null })}
          >
            By the thresholds ({incident.computed_severity})
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <Button {...menu} onClick={() => setAsking("comment")}>
        Comment…
      </Button>
      {isResolved ? null : (
        <Button {...menu} onClick={() => setAsking("resolve")}>
          Resolve…
        </Button>
      )}
      {operator.mayChange ? null : <span className="muted">You may read only: viewers change nothing.</span>}
      {asking === "comment" ? (
        <NoteDialog
          title={`Comment on #${incident.id}`}
          verb="Comment"
          label="Comment"
          isRequired
          onDone={(note) => note && act({ do: "comment", note })}
          onClose={() => setAsking(null)}
        />
      ) : null}
      {asking === "resolve" ? (
        <NoteDialog
          title={`Resolve #${incident.id}`}
          verb="Resolve"
          description="What it was and what helped: whoever sees a similar one reads it."
          withDecommissioned={incident.kind === "availability" && incident.firing}
          onDone={(note, decommissioned) => act({ do: "resolve", note, decommissioned })}
          onClose={() => setAsking(null)}
        />
      ) : null}
      {asking === "assign" ? (
        <AssignDialog
          id={incident.id}
          onDone={(owner) => act({ do: "assign", owner })}
          onClose={() => setAsking(null)}
        />
      ) : null}
    </div>
  );
}

function AssignDialog({
  id,
  onDone,
  onClose,
}: {
  id: number;
  onDone: (owner: string) => void;
  onClose: () => void;
}) {
  const [name, setName] = useState("");
  useFocusBack();
  const owner = name.trim();
  return (
    <Modal opened onClose={onClose} title={`Assign #${id}`} centered>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (owner) onDone(owner);
        }}
      >
        <TextInput
          label="Name"
          value={name}
          maxLength={64}
          onChange={(event) => setName(event.currentTarget.value)}
          data-autofocus
        />
        <Button type="submit" mt="md" disabled={!owner}>
          Assign
        </Button>
      </form>
    </Modal>
  );
}
