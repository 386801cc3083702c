/** Search over pages and services, and for incidents by text: arrow keys choose, Enter goes there. */
import { Modal, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type KeyboardEvent, useEffect, useId, useMemo, useRef, useState } from "react";
import { services } from "@/api/services.ts";
import { Shape } from "@/components/state.tsx";
import { useFocusBack } from "@/lib/focus.ts";
import { type Found, found } from "./found.ts";
import classes from "./shell.module.css";

/** What is typed at once would be lost while it slides in. */
const NONE = { duration: 0 };

export function Finder({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title="Search"
      closeButtonProps={{ "aria-label": "Close" }}
      transitionProps={NONE}
      // The field takes the focus before the dialog could note what had it.
      returnFocus={false}
    >
      <Search onDone={onClose} />
    </Modal>
  );
}

function Search({ onDone }: { onDone: () => void }) {
  useFocusBack();
  const navigate = useNavigate();
  const known = useQuery(services());
  const [text, setText] = useState("");
  const [chosen, setChosen] = useState(0);
  const list = useId();
  const options = useMemo(() => found(text, known.data ?? []), [text, known.data]);
  const at = Math.min(chosen, options.length - 1);
  const current = useRef<HTMLDivElement>(null);

  // biome-ignore lint/correctness/useExhaustiveDependencies: what is chosen by keys is shown.
  useEffect(() => {
    current.current?.scrollIntoView?.({ block: "nearest" });
  }, [at]);

  const go = (to: Found) => {
    onDone();
    if (to.kind === "page") void navigate({ to: to.to });
    else if (to.kind === "service") void navigate({ to: "/services/$service", params: { service: to.name } });
    else void navigate({ to: "/incidents", search: { text: to.text } });
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
    if (step !== 0) {
      event.preventDefault();
      setChosen((at + step + options.length) % options.length);
    }
    const option = options[at];
    if (event.key === "Enter" && option) {
      event.preventDefault();
      go(option);
    }
  };
  return (
    <>
      <TextInput
        label="Page, service, or text of incidents"
        value={text}
        onChange={(event) => {
          setText(event.currentTarget.value);
          setChosen(0);
        }}
        onKeyDown={onKeyDown}
        role="combobox"
        aria-expanded="true"
        aria-controls={list}
        aria-activedescendant={`${list}-${at}`}
        aria-autocomplete="list"
        autoComplete="off"
        spellCheck={false}
        data-autofocus
        autoFocus
      />
      <div id={list} role="listbox" aria-label="Found" className={classes.found}>
        {options.map((option, index) => (
          // biome-ignore lint/a11y/useFocusableInteractive lint/a11y/useKeyWithClickEvents: the field keeps the focus and takes the keys.
          <div
            key={option.id}
            id={`${list}-${index}`}
            role="option"
            aria-selected={index === at}
            ref={index === at ? current : undefined}
            className={`${classes.one} ${index === at ? classes.chosen : ""}`}
            onClick={() => go(option)}
          >
            <span>{option.name}</span>
            <span className={classes.kind}>
              {option.kind === "service" ? (
                <>
                  <Shape tone={option.tone} /> {option.word}
                </>
              ) : option.kind === "page" ? (
                "page"
              ) : (
                "search"
              )}
            </span>
          </div>
        ))}
      </div>
    </>
  );
}
