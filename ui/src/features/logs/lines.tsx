/** Lines of a log in a box of their own: only those in sight are in the page, up to 100,000 are held. */
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useRef, useState } from "react";
import type { LogLine } from "@/api/logs.ts";
import { useToast } from "@/components/toasts.tsx";
import { useKeys } from "@/lib/keys.ts";
import { useNow } from "@/live/clock.ts";
import { Line } from "./line.tsx";
import classes from "./lines.module.css";
import type { Order } from "./question.ts";
import { exactly, nextError, placeOf } from "./told.ts";

const ROW_PX = 26;
/** More is asked for when so few are left below. */
const NEAR_END = 200;

interface Props {
  lines: LogLine[];
  service: string;
  searched: string;
  at: number | null;
  order: Order;
  /** Asks for more; null where there is none, or it is under way. */
  onNearEnd: (() => void) | null;
  onOnly: (text: string) => void;
}

export function Lines({ lines, service, searched, at, order, onNearEnd, onOnly }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const now = useNow();
  const toast = useToast();
  const [open, setOpen] = useState<ReadonlySet<number>>(new Set());
  const current = useRef(-1);
  const virtualizer = useVirtualizer({
    count: lines.length,
    getScrollElement: () => box.current,
    estimateSize: () => ROW_PX,
    overscan: 12,
  });
  const rows = virtualizer.getVirtualItems();
  const last = rows.at(-1)?.index ?? 0;
  const place = at === null ? null : placeOf(lines, at, order);

  useEffect(() => {
    if (last >= lines.length - NEAR_END) onNearEnd?.();
  }, [last, lines.length, onNearEnd]);

  const shown = useRef(false);
  useEffect(() => {
    if (place === null || lines.length === 0 || shown.current) return;
    shown.current = true;
    virtualizer.scrollToIndex(Math.min(place, lines.length - 1), { align: "center" });
  }, [place, lines.length, virtualizer]);

  const go = (index: number) => {
    if (index < 0 || index >= lines.length) return;
    current.current = index;
    virtualizer.scrollToIndex(index, { align: "auto" });
    // The line may come into the page only with the next frame.
    const focus = (tries: number) => {
      const line = box.current?.querySelector<HTMLElement>(`[data-line="${index}"]`);
      if (line) line.focus({ preventScroll: true });
      else if (tries > 0) requestAnimationFrame(() => focus(tries - 1));
    };
    requestAnimationFrame(() => focus(10));
  };
  useKeys({
    j: () => go(current.current + 1),
    k: () => go(Math.max(0, current.current - 1)),
    e: () => {
      const next = nextError(lines, current.current);
      if (next === null) toast({ text: "No further ERROR among the lines that are loaded" });
      else go(next);
    },
  });
  const toggle = (index: number) =>
    setOpen((before) => {
      const after = new Set(before);
      if (!after.delete(index)) after.add(index);
      return after;
    });

  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls is reached by the keyboard.
    <section ref={box} className={classes.box} aria-label="Log lines" tabIndex={0}>
      {/* biome-ignore lint/a11y/useSemanticElements: an ordered list may not hold boxes that are placed by hand. */}
      <div role="list" className={classes.list} style={{ height: virtualizer.getTotalSize() }}>
        {rows.map((row) => {
          const line = lines[row.index];
          if (!line) return null;
          return (
            // biome-ignore lint/a11y/useSemanticElements: an item of that list.
            <div
              key={row.key}
              ref={virtualizer.measureElement}
              data-index={row.index}
              role="listitem"
              aria-setsize={lines.length}
              aria-posinset={row.index + 1}
              className={classes.row}
              style={{ transform: `translateY(${row.start}px)` }}
              onFocus={() => {
                current.current = row.index;
              }}
            >
              {place === row.index && at !== null ? (
                <p className={classes.instant}>{exactly(at, now)}</p>
              ) : null}
              <Line
                line={line}
                service={service}
                searched={searched}
                now={now}
                index={row.index}
                isOpen={open.has(row.index)}
                onToggle={() => toggle(row.index)}
                onOnly={onOnly}
              />
            </div>
          );
        })}
      </div>
    </section>
  );
}
