/** What the list is filtered and sorted by. */
import { Button, NativeSelect, Select, TextInput } from "@mantine/core";
import { useEffect, useRef, useState } from "react";
import type { CatalogueMetric, Service } from "@/api/services.ts";
import { local, rangeOf } from "@/lib/time.ts";
import { type Asked, isFiltered, ME, NOBODY } from "./filter.ts";
import classes from "./filters.module.css";

const STATUS = [
  { value: "", label: "Unresolved" },
  { value: "OPEN", label: "Open" },
  { value: "ACKNOWLEDGED", label: "Acknowledged" },
  { value: "RESOLVED", label: "Resolved" },
  { value: "all", label: "All" },
];
const SEVERITY = [
  { value: "", label: "Any" },
  { value: "Critical", label: "Critical" },
  { value: "High", label: "High" },
];
const RANGE = [
  { value: "", label: "Any time" },
  { value: "1h", label: "Last hour" },
  { value: "6h", label: "Last 6 hours" },
  { value: "24h", label: "Last 24 hours" },
  { value: "7d", label: "Last 7 days" },
  { value: "30d", label: "Last 30 days" },
];
const SORT = [
  { value: "-opened", label: "Newest first" },
  { value: "opened", label: "Oldest first" },
  { value: "-last_seen", label: "Last seen" },
  { value: "-severity", label: "Most severe first" },
  { value: "severity", label: "Least severe first" },
  { value: "last_seen", label: "Longest not seen" },
  { value: "service", label: "Service, A to Z" },
  { value: "-service", label: "Service, Z to A" },
];
/** As a metric: incidents of services that are gone have none. */
const GONE = "is gone";
const TYPING_MS = 300;

interface Props {
  asked: Asked;
  services: Service[];
  metrics: CatalogueMetric[];
  /** Names of owners that are known. */
  owners: string[];
  onChange: (change: Asked) => void;
  onClear: () => void;
}

export function Filters({ asked, services, metrics, owners, onChange, onClear }: Props) {
  return (
    <search className={classes.filters}>
      <Words text={asked.text ?? ""} onText={(text) => onChange({ text })} />
      <Select
        label="Service"
        placeholder="Any"
        size="xs"
        className={classes.service}
        searchable
        clearable
        limit={100}
        nothingFoundMessage="No such service"
        value={asked.service ?? null}
        data={withOwn(
          services.map(({ id }) => id),
          asked.service,
        )}
        onChange={(service) => onChange({ service: service ?? undefined })}
      />
      <NativeSelect
        label="Metric"
        size="xs"
        value={asked.kind === "availability" ? GONE : (asked.metric ?? "")}
        data={[
          { value: "", label: "Any" },
          ...metrics.map(({ id, title }) => ({ value: id, label: title })),
          ...(asked.metric && !metrics.some(({ id }) => id === asked.metric)
            ? [{ value: asked.metric, label: asked.metric }]
            : []),
          { value: GONE, label: "Service gone" },
        ]}
        onChange={(event) => {
          const metric = event.currentTarget.value;
          onChange(
            metric === GONE ? { metric: undefined, kind: "availability" } : { metric, kind: undefined },
          );
        }}
      />
      <Choice
        label="Severity"
        value={asked.severity}
        data={SEVERITY}
        onChange={(severity) => onChange({ severity })}
      />
      <Choice label="Status" value={asked.status} data={STATUS} onChange={(status) => onChange({ status })} />
      <Choice
        label="Owner"
        value={asked.owner}
        data={[
          { value: "", label: "Anyone" },
          { value: ME, label: "Me" },
          { value: NOBODY, label: "Nobody" },
          ...withOwn(owners, asked.owner)
            .filter((name) => name !== ME && name !== NOBODY)
            .map((name) => ({ value: name, label: name })),
        ]}
        onChange={(owner) => onChange({ owner })}
      />
      <Choice
        label="Seen in"
        value={asked.range}
        data={ranges(asked.range)}
        onChange={(range) => onChange({ range })}
      />
      <Choice
        label="Sort"
        value={asked.sort ?? "-opened"}
        data={SORT}
        onChange={(sort) => onChange({ sort: sort === "-opened" ? undefined : sort })}
      />
      {isFiltered(asked) ? (
        <Button variant="default" size="xs" onClick={onClear}>
          Clear filter
        </Button>
      ) : null}
    </search>
  );
}

function Choice({
  label,
  value,
  data,
  onChange,
}: {
  label: string;
  value: string | undefined;
  data: { value: string; label: string }[];
  onChange: (value: string | undefined) => void;
}) {
  return (
    <NativeSelect
      label={label}
      size="xs"
      value={value ?? ""}
      data={data}
      onChange={(event) => onChange(event.currentTarget.value || undefined)}
    />
  );
}

/** Text goes into the address when typing rests, so that the server isn't asked for each letter. */
function Words({ text, onText }: { text: string; onText: (text: string | undefined) => void }) {
  const [typed, setTyped] = useState(text);
  const sent = useRef(text);
  const tell = useRef(onText);
  tell.current = onText;
  useEffect(() => {
    // The address was changed by something else: a link, or "clear".
    if (text !== sent.current) {
      sent.current = text;
      setTyped(text);
    }
  }, [text]);
  useEffect(() => {
    const words = typed.trim();
    if (words === sent.current) return;
    const timer = setTimeout(() => {
      sent.current = words;
      tell.current(words || undefined);
    }, TYPING_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  return (
    <TextInput
      label="Text"
      placeholder="Summary, notes, logs"
      type="search"
      size="xs"
      maxLength={200}
      className={classes.text}
      value={typed}
      onChange={(event) => setTyped(event.currentTarget.value)}
    />
  );
}

function withOwn(names: string[], own: string | undefined): string[] {
  return own && !names.includes(own) ? [...names, own] : names;
}

/** With the range of the address, where that isn't one of the list. */
function ranges(asked: string | undefined): { value: string; label: string }[] {
  if (!asked || RANGE.some(({ value }) => value === asked)) return RANGE;
  const now = Date.now();
  const range = rangeOf(asked, now);
  if (!range) return RANGE;
  return [...RANGE, { value: asked, label: `${local(range.from, now)} to ${local(range.to, now)}` }];
}
