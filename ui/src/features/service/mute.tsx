/** Keeps everyone from being told of this service for a while; incidents are recorded as ever. */
import { Button, Modal, NativeSelect, TextInput } from "@mantine/core";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { type Mute, mute, mutes, unmute } from "@/api/status.ts";
import { useToast } from "@/components/toasts.tsx";
import { When } from "@/components/when.tsx";
import { useFocusBack } from "@/lib/focus.ts";
import { useOperator } from "@/operating/operator.tsx";
import { muteOf } from "./build.ts";
import classes from "./mute.module.css";

const SPANS = [
  { value: "30m", label: "30 minutes" },
  { value: "1h", label: "1 hour" },
  { value: "2h", label: "2 hours" },
  { value: "8h", label: "8 hours" },
  { value: "24h", label: "1 day" },
  { value: "", label: "until it is ended" },
];

/** What is done, and what is said when it is or isn't. */
function useChange() {
  const queries = useQueryClient();
  const toast = useToast();
  const operator = useOperator();
  const [isRunning, setRunning] = useState(false);
  const run = async (change: () => Promise<unknown>, done: string, not: string): Promise<boolean> => {
    if (!(await operator.named())) return false;
    setRunning(true);
    try {
      await change();
      toast({ text: done });
      return true;
    } catch (error) {
      toast({ text: `${not}: ${error instanceof Error ? error.message : String(error)}`, failed: true });
      return false;
    } finally {
      setRunning(false);
      for (const name of ["mutes", "status"]) void queries.invalidateQueries({ queryKey: [name] });
    }
  };
  return { run, isRunning };
}

/** The button, and the dialog behind it. */
export function MuteButton({ service }: { service: string }) {
  const { mayChange } = useOperator();
  const current = muteOf(useQuery(mutes()).data ?? [], service);
  const [isOpen, setOpen] = useState(false);
  const { run, isRunning } = useChange();
  if (current) {
    return (
      <Button
        variant="default"
        size="xs"
        disabled={!mayChange}
        loading={isRunning}
        title={mayChange ? undefined : "Viewers can't end a mute"}
        onClick={() =>
          void run(() => unmute(current.id), `The mute of ${service} has ended`, `${service} stays muted`)
        }
      >
        End the mute
      </Button>
    );
  }
  return (
    <>
      <Button
        variant="default"
        size="xs"
        disabled={!mayChange}
        title={mayChange ? undefined : "Viewers can't mute"}
        onClick={() => setOpen(true)}
      >
        Mute …
      </Button>
      {isOpen ? (
        <MuteDialog
          service={service}
          isRunning={isRunning}
          onClose={() => setOpen(false)}
          onMute={async (span, note) => {
            const done = await run(
              () => mute(service, span, note),
              `${service} is muted`,
              `${service} is not muted`,
            );
            if (done) setOpen(false);
          }}
        />
      ) : null}
    </>
  );
}

/** Who muted it, until when, and why. */
export function MuteLine({ service }: { service: string }) {
  const current = muteOf(useQuery(mutes()).data ?? [], service);
  return current ? <MutedBy mute={current} /> : null;
}

function MutedBy({ mute: { by, from, until, note } }: { mute: Mute }) {
  return (
    <p className={classes.line}>
      Muted by {by} since <When at={from} />,{" "}
      {until ? (
        <>
          until <When at={until} withAgo />
        </>
      ) : (
        "until it is ended"
      )}
      : nobody is told of it.{note ? ` “${note}”` : ""}
    </p>
  );
}

interface DialogProps {
  service: string;
  isRunning: boolean;
  onClose: () => void;
  onMute: (span: string | null, note: string | undefined) => Promise<void>;
}

function MuteDialog({ service, isRunning, onClose, onMute }: DialogProps) {
  const [span, setSpan] = useState("1h");
  useFocusBack();
  const [note, setNote] = useState("");
  return (
    <Modal
      opened
      onClose={onClose}
      title={`Mute ${service}`}
      centered
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <form
        className={classes.form}
        onSubmit={(event) => {
          event.preventDefault();
          void onMute(span || null, note.trim() || undefined);
        }}
      >
        <p>
          Nobody is told of it meanwhile. Incidents are recorded as ever, and what still fires at the end is
          told then.
        </p>
        <NativeSelect
          label="For"
          data={SPANS}
          value={span}
          onChange={(event) => setSpan(event.currentTarget.value)}
          data-autofocus
        />
        <TextInput
          label="Note"
          description="Why, for those who wonder later"
          value={note}
          maxLength={1000}
          onChange={(event) => setNote(event.currentTarget.value)}
        />
        <div className={classes.foot}>
          <Button type="submit" loading={isRunning}>
            Mute
          </Button>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
        </div>
      </form>
    </Modal>
  );
}
