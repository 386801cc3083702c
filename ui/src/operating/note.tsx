/** Asks for a note before something is done. */
import { Button, Checkbox, Modal, Textarea } from "@mantine/core";
import { useState } from "react";
import { useFocusBack } from "@/lib/focus.ts";
import classes from "./note.module.css";

interface Props {
  title: string;
  /** What the button does: a verb. */
  verb: string;
  label?: string;
  /** Why one would write something. */
  description?: string;
  isRequired?: boolean;
  /** Offers to say that the service is gone for good. */
  withDecommissioned?: boolean;
  onDone: (note: string | undefined, decommissioned: boolean) => void;
  onClose: () => void;
}

/** Shown as long as it is rendered: what was written is gone with it. */
export function NoteDialog({
  title,
  verb,
  label = "Note",
  description,
  isRequired = false,
  withDecommissioned = false,
  onDone,
  onClose,
}: Props) {
  const [text, setText] = useState("");
  useFocusBack();
  const [decommissioned, setDecommissioned] = useState(false);
  const note = text.trim();
  const canBeDone = !isRequired || note !== "";
  const done = () => {
    if (canBeDone) onDone(note || undefined, decommissioned);
  };
  return (
    <Modal opened onClose={onClose} title={title} centered>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          done();
        }}
      >
        <Textarea
          label={label}
          description={description}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) done();
          }}
          maxLength={4000}
          rows={4}
          data-autofocus
        />
        {withDecommissioned ? (
          <Checkbox
            mt="md"
            label="The service is decommissioned"
            description="It is gone for good: nothing opens for it until it is seen again."
            checked={decommissioned}
            onChange={(event) => setDecommissioned(event.currentTarget.checked)}
          />
        ) : null}
        <div className={classes.foot}>
          <Button type="submit" disabled={!canBeDone}>
            {verb}
          </Button>
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <span className="muted">Ctrl + Enter: {verb.toLowerCase()}</span>
        </div>
      </form>
    </Modal>
  );
}
