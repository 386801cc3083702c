/** Another service: by its name, or the next and the previous one. */
import { Select } from "@mantine/core";
import { useNavigate } from "@tanstack/react-router";
import type { Service } from "@/api/services.ts";
import { ofService } from "@/components/state.tsx";
import { useKeys } from "@/lib/keys.ts";
import { neighbours } from "./build.ts";
import classes from "./head.module.css";

/** More are found by typing. */
const SHOWN_MAX = 100;

export function Selector({ services, current }: { services: Service[]; current: string }) {
  const navigate = useNavigate();
  const { before, after } = neighbours(services, current);
  // The range stays: one looks at the same time of another service.
  const go = (service: string | null) => {
    if (service)
      void navigate({
        to: "/services/$service",
        params: { service },
        search: (search) => ({ range: search.range }),
      });
  };
  useKeys({ "[": () => go(before), "]": () => go(after) });
  const data = services.map((service) => ({ value: service.id, label: service.id }));
  const stateOf = (id: string) => {
    const service = services.find((one) => one.id === id);
    return service ? ofService(service.state).word : "";
  };
  return (
    <div className={classes.selector}>
      <button
        type="button"
        className={classes.step}
        disabled={!before}
        onClick={() => go(before)}
        title={`${before ?? ""} [`}
      >
        <span aria-hidden="true">‹</span>
        <span className="visually-hidden">previous service{before ? `, ${before}` : ""}</span>
      </button>
      <Select
        aria-label="Service"
        data={
          data.some(({ value }) => value === current) ? data : [{ value: current, label: current }, ...data]
        }
        value={current}
        onChange={go}
        searchable
        allowDeselect={false}
        limit={SHOWN_MAX}
        maxDropdownHeight={360}
        nothingFoundMessage="No service has this in its name"
        renderOption={({ option }) => (
          <span className={classes.option}>
            <span>{option.label}</span>
            <span className="muted">{stateOf(option.value)}</span>
          </span>
        )}
        comboboxProps={{ withinPortal: true }}
      />
      <button
        type="button"
        className={classes.step}
        disabled={!after}
        onClick={() => go(after)}
        title={`${after ?? ""} ]`}
      >
        <span aria-hidden="true">›</span>
        <span className="visually-hidden">next service{after ? `, ${after}` : ""}</span>
      </button>
    </div>
  );
}
