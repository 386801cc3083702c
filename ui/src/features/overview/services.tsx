/** All services, worst first: filtered by the address, as a table or a grid, in an order that keeps still under the hand. */
import { useCallback, useDeferredValue, useMemo, useRef } from "react";
import type { CatalogueMetric } from "@/api/services.ts";
import { Empty } from "@/components/face.tsx";
import { counted } from "@/lib/amount.ts";
import { useKeys } from "@/lib/keys.ts";
import { countOf, filtered, statesOf, toggled } from "./filter.ts";
import { Filters, type Look } from "./filters.tsx";
import { ServiceGrid } from "./grid.tsx";
import { groupsOf, inPlace, tileWidth } from "./groups.ts";
import { useHeld } from "./held.ts";
import classes from "./overview.module.css";
import type { Row } from "./rows.ts";
import { ServiceTable } from "./table.tsx";

/** More services than these are a grid, unless a table is asked for. */
const TABLE_MOST = 30;

export interface Asked {
  text?: string;
  state?: string;
  as?: string;
}

interface Props {
  rows: Row[];
  columns: CatalogueMetric[];
  asked: Asked;
  onAsk: (asked: Asked) => void;
}

export function lookOf(as: string | undefined, count: number): Look {
  if (as === "table" || as === "grid") return as;
  return count > TABLE_MOST ? "grid" : "table";
}

export function Services({ rows, columns, asked, onAsk }: Props) {
  const look = lookOf(asked.as, rows.length);
  const states = useMemo(() => statesOf(asked.state), [asked.state]);
  // The controls answer at once; hundreds of rows are drawn behind them.
  const text = useDeferredValue(asked.text ?? "");
  const state = useDeferredValue(asked.state);
  const sought = useMemo(() => statesOf(state), [state]);
  const drawn = useDeferredValue(look);
  const wanted = useMemo(
    () => filtered(rows, text, sought).map((row) => ({ id: row.id, group: row.state })),
    [rows, text, sought],
  );
  const held = useHeld(wanted, `${drawn} ${state ?? ""} ${text}`);
  const around = useRef<HTMLDivElement>(null);
  const counts = useMemo(() => countOf(rows), [rows]);

  const width = useMemo(() => tileWidth(rows.map(({ id }) => id)), [rows]);
  const step = (by: number) => {
    const links = [...(around.current?.querySelectorAll<HTMLElement>("[data-row]") ?? [])];
    const at = links.indexOf(document.activeElement as HTMLElement);
    const next = at === -1 ? (by > 0 ? 0 : links.length - 1) : at + by;
    links[Math.min(Math.max(next, 0), links.length - 1)]?.focus();
  };
  useKeys({ j: () => step(1), k: () => step(-1) });

  const onText = useCallback((typed: string) => onAsk({ text: typed || undefined }), [onAsk]);
  return (
    <section aria-labelledby="services" className={classes.services}>
      <div className={classes.bar}>
        <div className={classes.head}>
          <h2 id="services" className={held.isOld ? "visually-hidden" : undefined}>
            Services, worst first
          </h2>
          <span className="visually-hidden" role="status">
            {held.isOld ? "The order has changed." : null}
          </span>
          {held.isOld ? (
            <button
              type="button"
              className={classes.take}
              title="Others are worst now; the order is kept while you point at it"
              onClick={held.take}
            >
              Take the new order
            </button>
          ) : null}
        </div>
        <Filters
          text={asked.text ?? ""}
          states={states}
          look={look}
          counts={counts}
          onText={onText}
          onState={(one) => onAsk({ state: toggled(asked.state, one) })}
          onLook={(as) => onAsk({ as: as === lookOf(undefined, rows.length) ? undefined : as })}
        />
      </div>
      <p className="visually-hidden" role="status">
        {text || sought.length > 0 ? `${counted(wanted.length, "service")} found` : null}
      </p>
      <div ref={around} {...held.hands}>
        {wanted.length === 0 ? (
          <Empty title="No service is like that">
            <p>None of {counted(rows.length, "service")} matches text and states.</p>
            <button
              type="button"
              className={classes.take}
              onClick={() => onAsk({ text: undefined, state: undefined })}
            >
              Show all
            </button>
          </Empty>
        ) : drawn === "grid" ? (
          <ServiceGrid
            groups={groupsOf(rows, held.places)}
            width={width}
            isSearched={text !== "" || sought.length > 0}
          />
        ) : (
          <ServiceTable rows={inPlace(rows, held.places)} columns={columns} />
        )}
      </div>
    </section>
  );
}
