/** Which lines: service, least level, text, order. */
import { Button, NativeSelect, TextInput } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import type { Service } from "@/api/services.ts";
import classes from "./filters.module.css";
import { type Asked, chosenInstant, instantText, LEVELS, type LogSearch } from "./question.ts";

/** A pause in typing that counts as an end of it. */
const PAUSE_MS = 300;

interface Props {
  services: Service[];
  search: LogSearch;
  asked: Asked;
  onChange: (changed: LogSearch) => void;
  onNewer: () => void;
  children: React.ReactNode;
}

export function Filters({ services, search, asked, onChange, onNewer, children }: Props) {
  const known = services.map(({ id }) => id).toSorted((one, other) => one.localeCompare(other));
  // Logs of a service that is gone are still there.
  const options = search.service && !known.includes(search.service) ? [search.service, ...known] : known;
  return (
    <form className={classes.filters} aria-label="Which lines" onSubmit={(event) => event.preventDefault()}>
      <NativeSelect
        label="Service"
        data={options}
        value={search.service ?? ""}
        onChange={(event) => onChange({ service: event.currentTarget.value })}
      />
      <NativeSelect
        className={classes.level}
        label="Level"
        data={[
          { value: "", label: "all" },
          ...LEVELS.slice(1).map((level) => ({
            value: level,
            label: level === "error" ? "ERROR" : `${level.toUpperCase()} and worse`,
          })),
        ]}
        value={search.level ?? ""}
        onChange={(event) => onChange({ level: event.currentTarget.value })}
      />
      <TextFilter text={search.text ?? ""} onChange={(text) => onChange({ text })} />
      <NativeSelect
        label="Order"
        data={[
          { value: "newest", label: "newest first" },
          { value: "oldest", label: "oldest first" },
        ]}
        value={asked.order}
        onChange={(event) => onChange({ order: event.currentTarget.value })}
      />
      <Button variant="default" px={12} onClick={onNewer}>
        Read again
      </Button>
      <div className={classes.when}>
        {children}
        <TextInput
          className={classes.around}
          label="Around"
          type="datetime-local"
          step={1}
          value={chosenInstant(asked.at)}
          onChange={(event) => onChange({ at: instantText(event.currentTarget.value), range: "" })}
        />
      </div>
    </form>
  );
}

function TextFilter({ text, onChange }: { text: string; onChange: (text: string) => void }) {
  const [typed, setTyped] = useState(text);
  const [known, setKnown] = useState(text);
  const [submitted, setSubmitted] = useState(text);
  if (known !== text) {
    setKnown(text);
    // Changed elsewhere: by a pattern, a trace, the way back.
    if (text !== submitted) setTyped(text);
  }
  const pause = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(pause.current), []);
  const submit = (value: string) => {
    clearTimeout(pause.current);
    setSubmitted(value.trim());
    if (value.trim() !== text) onChange(value.trim());
  };
  return (
    <TextInput
      className={classes.text}
      label="Text"
      placeholder="in message, exception, stack trace or trace id"
      value={typed}
      onChange={(event) => {
        const value = event.currentTarget.value;
        setTyped(value);
        clearTimeout(pause.current);
        pause.current = setTimeout(() => submit(value), PAUSE_MS);
      }}
      onKeyDown={(event) => {
        if (event.key === "Enter") submit(typed);
      }}
    />
  );
}
