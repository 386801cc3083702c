/** A table of thousands of rows in the page's own scrolling: only rows in sight are in the page. */
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useLayoutEffect, useRef, useState } from "react";
import classes from "./table.module.css";

const ROW_PX = 34;

export interface Column<By extends string> {
  name: string;
  width: string;
  isNumber?: boolean;
  /** What it sorts by; columns without can't be sorted. */
  by?: By;
}

interface Props<T, By extends string> {
  caption: string;
  columns: Column<By>[];
  items: T[];
  keyOf: (item: T) => string;
  /** The cells of a row. */
  cells: (item: T) => ReactNode;
  /** What unfolds below a row; null while it is folded. */
  below?: (item: T) => ReactNode | null;
  sort?: { by: By; isDown: boolean };
  onSort?: (by: By) => void;
}

export function Table<T, By extends string>(props: Props<T, By>) {
  const { caption, columns, items, keyOf, cells, below, sort, onSort } = props;
  const head = useRef<HTMLTableSectionElement>(null);
  const [top, setTop] = useState(0);
  // What stands above comes and goes: where the rows begin is read after each drawing.
  useLayoutEffect(() => {
    const box = head.current?.getBoundingClientRect();
    const now = box ? Math.round(box.bottom + window.scrollY) : 0;
    if (now !== top) setTop(now);
  });
  const virtualizer = useWindowVirtualizer({
    count: items.length,
    estimateSize: () => ROW_PX,
    getItemKey: (index) => {
      const item = items[index];
      return item === undefined ? index : keyOf(item);
    },
    overscan: 15,
    scrollMargin: top,
  });
  const rows = virtualizer.getVirtualItems();
  const above = (rows[0]?.start ?? top) - top;
  const rest = virtualizer.getTotalSize() - ((rows.at(-1)?.end ?? top) - top);
  return (
    <section className={classes.box} aria-label={caption}>
      <table className={classes.table} aria-rowcount={items.length + 1}>
        <caption className="visually-hidden">{caption}</caption>
        <colgroup>
          {columns.map(({ name, width }) => (
            <col key={name} style={{ width }} />
          ))}
        </colgroup>
        <thead ref={head}>
          <tr>
            {columns.map(({ name, by, isNumber }) => (
              <th
                key={name}
                scope="col"
                className={isNumber ? "number" : undefined}
                aria-sort={by && sort?.by === by ? (sort.isDown ? "descending" : "ascending") : undefined}
              >
                {by && onSort ? (
                  <button type="button" className={classes.sort} onClick={() => onSort(by)}>
                    {name}
                    <span aria-hidden="true">{sort?.by === by ? (sort.isDown ? " ↓" : " ↑") : ""}</span>
                  </button>
                ) : (
                  name
                )}
              </th>
            ))}
          </tr>
        </thead>
        {above > 0 ? <Gap height={above} columns={columns.length} /> : null}
        {rows.map((row) => {
          const item = items[row.index];
          if (item === undefined) return null;
          const unfolded = below?.(item) ?? null;
          return (
            <tbody key={row.key} ref={virtualizer.measureElement} data-index={row.index}>
              <tr aria-rowindex={row.index + 2}>{cells(item)}</tr>
              {unfolded === null ? null : (
                <tr className={classes.unfolded}>
                  <td colSpan={columns.length}>
                    <div className={classes.below}>{unfolded}</div>
                  </td>
                </tr>
              )}
            </tbody>
          );
        })}
        {rest > 0 ? <Gap height={rest} columns={columns.length} /> : null}
      </table>
    </section>
  );
}

/** The room of rows that are out of sight. */
function Gap({ height, columns }: { height: number; columns: number }) {
  return (
    <tbody aria-hidden="true">
      <tr>
        <td className={classes.gap} colSpan={columns} style={{ height }} />
      </tr>
    </tbody>
  );
}
