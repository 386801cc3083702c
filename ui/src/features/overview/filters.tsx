/** Which services are shown, and how; all of it stands in the address. */
import { SegmentedControl, TextInput } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import type { Service } from "@/api/services.ts";
import { ofService, Shape } from "@/components/state.tsx";
import classes from "./overview.module.css";
import { STATES } from "./rows.ts";

export type Look = "table" | "grid";

interface Props {
  text: string;
  states: Service["state"][];
  look: Look;
  counts: Map<Service["state"], number>;
  onText: (text: string) => void;
  onState: (state: Service["state"]) => void;
  onLook: (look: Look) => void;
}

/** Typing is written into the address when it pauses. */
const PAUSE_MS = 150;

export function Filters({ text, states, look, counts, onText, onState, onLook }: Props) {
  const there = STATES.filter((state) => (counts.get(state) ?? 0) > 0 || states.includes(state));
  return (
    <div className={classes.filters}>
      <TextFilter text={text} onText={onText} />
      <fieldset className={classes.states}>
        <legend className="visually-hidden">States</legend>
        {there.map((state) => {
          const { tone, word } = ofService(state);
          return (
            <button
              key={state}
              type="button"
              className={classes.stateFilter}
              aria-pressed={states.includes(state)}
              onClick={() => onState(state)}
            >
              <Shape tone={tone} /> {word} {counts.get(state) ?? 0}
            </button>
          );
        })}
      </fieldset>
      <SegmentedControl
        size="xs"
        aria-label="Shown as"
        value={look}
        onChange={(value) => onLook(value === "grid" ? "grid" : "table")}
        data={[
          { value: "table", label: "Table" },
          { value: "grid", label: "Grid" },
        ]}
      />
    </div>
  );
}

function TextFilter({ text, onText }: { text: string; onText: (text: string) => void }) {
  const [typed, setTyped] = useState(text);
  const [seen, setSeen] = useState(text);
  const sent = useRef(text);
  // The address was changed by something else, such as the way back.
  if (text !== seen) {
    setSeen(text);
    if (text !== sent.current) {
      sent.current = text;
      setTyped(text);
    }
  }
  useEffect(() => {
    if (typed === sent.current) return;
    const timer = setTimeout(() => {
      sent.current = typed;
      onText(typed);
    }, PAUSE_MS);
    return () => clearTimeout(timer);
  }, [typed, onText]);
  return (
    <TextInput
      size="xs"
      className={classes.text}
      aria-label="Filter services by name, state or metric"
      placeholder="Filter services"
      value={typed}
      onChange={(event) => setTyped(event.currentTarget.value)}
      type="search"
      spellCheck={false}
    />
  );
}
