/** The configuration in force, without secrets, and loading it anew. */
import { Button, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { configurationText, reload, type Status } from "@/api/status.ts";
import { Copy } from "@/components/copy.tsx";
import { Shown } from "@/components/face.tsx";
import { When } from "@/components/when.tsx";
import { useOperator } from "@/operating/operator.tsx";
import { useChange } from "./change.ts";
import rows from "./rows.module.css";
import { Refusal } from "./section.tsx";
import { reloadInWords } from "./words.ts";
import { filteredYaml } from "./yaml.ts";

interface Props {
  status: Status;
  find: string;
  onFind: (text: string) => void;
}

export function Configuration({ status, find, onFind }: Props) {
  const { source, loaded_at, refused, needs_restart, warnings } = status.configuration;
  const { isAdmin } = useOperator();
  const loading = useChange({
    ask: () => reload(),
    done: (told) => `Loaded, ${reloadInWords(told)}`,
    concerns: [["status"], ["config"], ["catalogue"]],
  });
  return (
    <>
      <div className={rows.buttons}>
        <span>
          From <code>{source}</code>, loaded <When at={loaded_at} withAgo />
        </span>
        <Button
          variant="default"
          size="compact-sm"
          disabled={!isAdmin}
          loading={loading.isRunning}
          onClick={() => void loading.run(undefined)}
        >
          Reload
        </Button>
        <Refusal of={isAdmin ? null : "Reloading takes the role admin."} />
      </div>
      {refused ? (
        <div role="alert">
          <p>The newest configuration was refused; the one before is in force:</p>
          <pre className={rows.text}>{refused}</pre>
        </div>
      ) : null}
      {needs_restart.length > 0 ? <p>These keys wait for a restart: {needs_restart.join(", ")}.</p> : null}
      {warnings.length > 0 ? (
        <ul>
          {warnings.map((warning) => (
            <li key={warning}>{warning}</li>
          ))}
        </ul>
      ) : null}
      <Effective find={find} onFind={onFind} />
    </>
  );
}

function Effective({ find, onFind }: Pick<Props, "find" | "onFind">) {
  const [isOpen, setOpen] = useState(find !== "");
  const query = useQuery({ ...configurationText(), enabled: isOpen });
  return (
    <details open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary className={rows.summary}>Effective configuration as YAML, without secrets</summary>
      {isOpen ? (
        <Shown what="the configuration" query={query}>
          {(text) => {
            const found = filteredYaml(text, find);
            return (
              <div className={rows.column}>
                <div className={rows.form}>
                  <TextInput
                    label="Find"
                    value={find}
                    onChange={(event) => onFind(event.currentTarget.value)}
                  />
                  <Copy text={text} label="copy all" of="the configuration" />
                </div>
                {found ? (
                  // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls is reached by the keyboard.
                  <pre className={rows.text} tabIndex={0}>
                    {found}
                  </pre>
                ) : (
                  <p role="status">No line of the configuration has “{find}”.</p>
                )}
              </div>
            );
          }}
        </Shown>
      ) : null}
    </details>
  );
}
