/** The rows: only those near the window are in the page, so that ten thousand scroll as ten do. */
import { useMediaQuery } from "@mantine/hooks";
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";
import { useKeys } from "@/lib/keys.ts";
import { type Asked, type SortBy, sortedBy, sorting } from "./filter.ts";
import classes from "./list.module.css";
import type { Row } from "./order.ts";
import { anchor, IncidentRow } from "./row.tsx";
import type { Selection } from "./selection.ts";

const ROW_PX = 34;
const NARROW_ROW_PX = 80;
/** What sticks above the rows. */
const ABOVE_PX = 80;
/** A page more is asked for when so many rows are left. */
const NEAR = 20;

interface Props {
  asked: Asked;
  rows: Row[];
  selection: Selection;
  onSelect: (id: number, isRange: boolean) => void;
  onSelectAll: (all: boolean) => void;
  onSort: (sort: string) => void;
  /** Somebody points at the rows or has one of them in focus. */
  onHeld: (isHeld: boolean) => void;
  onNearEnd: () => void;
  /** What single keys do to a row. */
  keys: { ack: (id: number | null) => void; resolve: (id: number | null) => void };
}

export function IncidentList({
  asked,
  rows,
  selection,
  onSelect,
  onSelectAll,
  onSort,
  onHeld,
  onNearEnd,
  keys,
}: Props) {
  const table = useRef<HTMLTableElement>(null);
  const [margin, setMargin] = useState(0);
  const isNarrow = useMediaQuery("(max-width: 720px)", false, { getInitialValueInEffect: false });
  const height = isNarrow ? NARROW_ROW_PX : ROW_PX;
  const current = useRef<number | null>(null);

  useLayoutEffect(() => {
    const top = table.current?.tBodies[0]?.getBoundingClientRect().top;
    if (top !== undefined) setMargin(Math.round(top + window.scrollY));
  });
  const virtual = useWindowVirtualizer({
    count: rows.length,
    estimateSize: () => height,
    getItemKey: (index) => rows[index]?.incident.id ?? index,
    overscan: 12,
    scrollMargin: margin,
    scrollPaddingStart: ABOVE_PX,
    scrollPaddingEnd: ROW_PX,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: another height is another measure.
  useEffect(() => virtual.measure(), [height, virtual]);
  const items = virtual.getVirtualItems();
  const last = items.at(-1)?.index ?? -1;
  useEffect(() => {
    if (rows.length > 0 && last >= rows.length - NEAR) onNearEnd();
  }, [last, rows.length, onNearEnd]);

  const move = (by: 1 | -1) => {
    const at = rows.findIndex(({ incident }) => incident.id === current.current);
    const next =
      at === -1 ? (by === 1 ? 0 : rows.length - 1) : Math.min(Math.max(at + by, 0), rows.length - 1);
    const id = rows[next]?.incident.id;
    if (id === undefined) return;
    current.current = id;
    virtual.scrollToIndex(next, { align: "auto" });
    focus(id);
  };
  const shown = () => (rows.some(({ incident }) => incident.id === current.current) ? current.current : null);
  useKeys({
    j: () => move(1),
    k: () => move(-1),
    x: () => {
      const id = shown();
      if (id !== null) onSelect(id, false);
    },
    a: () => keys.ack(shown()),
    r: () => keys.resolve(shown()),
  });
  const onFocus = useCallback((id: number) => {
    current.current = id;
  }, []);

  const before = (items[0]?.start ?? margin) - margin;
  const after = virtual.getTotalSize() - ((items.at(-1)?.end ?? margin) - margin);
  const isAll = rows.length > 0 && rows.every(({ incident }) => selection.has(incident.id));
  return (
    <table
      ref={table}
      className={classes.table}
      aria-label="Incidents"
      aria-rowcount={rows.length + 1}
      onPointerEnter={() => onHeld(true)}
      onPointerLeave={() => onHeld(table.current?.contains(document.activeElement) ?? false)}
      onFocus={() => onHeld(true)}
      onBlur={(event) => {
        if (!table.current?.contains(event.relatedTarget)) onHeld(table.current?.matches(":hover") ?? false);
      }}
    >
      <thead>
        <tr aria-rowindex={1}>
          <th className={classes.check}>
            <label className={classes.tick}>
              <input
                type="checkbox"
                checked={isAll}
                aria-label={`Select all ${rows.length} that are loaded`}
                onChange={(event) => onSelectAll(event.currentTarget.checked)}
              />
            </label>
          </th>
          <Heading asked={asked} by="severity" onSort={onSort} className={classes.state}>
            State
          </Heading>
          <th className={classes.id}>
            <span className="visually-hidden">Number</span>
          </th>
          <Heading asked={asked} by="service" onSort={onSort} className={classes.service}>
            Service
          </Heading>
          <th>What</th>
          <Heading asked={asked} by="opened" onSort={onSort} className={classes.opened}>
            Opened
          </Heading>
          <th className={classes.length}>Duration</th>
          <th className={classes.owner}>Owner</th>
          <th className={classes.status}>Status</th>
        </tr>
      </thead>
      <tbody>
        <Space height={before} />
        {items.map(({ index, key }) => {
          const row = rows[index];
          return row ? (
            <IncidentRow
              key={key}
              row={row}
              place={index + 1}
              isSelected={selection.has(row.incident.id)}
              onSelect={onSelect}
              onFocus={onFocus}
            />
          ) : null;
        })}
        <Space height={after} />
      </tbody>
    </table>
  );
}

function Heading({
  asked,
  by,
  onSort,
  className,
  children,
}: {
  asked: Asked;
  by: SortBy;
  onSort: (sort: string) => void;
  className?: string;
  children: ReactNode;
}) {
  const now = sorting(asked);
  const isThis = now.by === by;
  return (
    <th
      className={className}
      aria-sort={isThis ? (now.isDescending ? "descending" : "ascending") : undefined}
    >
      <button type="button" className={classes.sort} onClick={() => onSort(sortedBy(asked, by))}>
        {children}
        {isThis ? (now.isDescending ? " ↓" : " ↑") : ""}
      </button>
    </th>
  );
}

/** The rows that aren't in the page, as height. */
function Space({ height }: { height: number }) {
  if (height <= 0) return null;
  return (
    <tr className={classes.space}>
      <td colSpan={9} style={{ height }} />
    </tr>
  );
}

/** A row that was scrolled to is there a frame or two later. */
function focus(id: number, tries = 5): void {
  const link = document.getElementById(anchor(id));
  if (link) link.focus({ preventScroll: true });
  else if (tries > 0) requestAnimationFrame(() => focus(id, tries - 1));
}
