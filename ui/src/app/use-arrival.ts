/** What is told of a page: its title in the tab, and to those who can't see that another one has come. */
import { useQuery } from "@tanstack/react-query";
import { useRouterState } from "@tanstack/react-router";
import { type RefObject, useEffect, useRef } from "react";
import { incident } from "@/api/incidents.ts";
import { services } from "@/api/services.ts";
import { titleOf } from "./title.ts";

/** The title of the page that is shown, renewed with what the page asks for itself. */
export function useTitle(path: string): string {
  const id = Number(/^\/incidents\/(\d{1,15})$/.exec(path)?.[1] ?? 0);
  const known = useQuery({ ...services(), enabled: false });
  const one = useQuery({ ...incident(id), enabled: false });
  const title = titleOf(path, { services: known.data, incident: one.data?.incident });
  useEffect(() => {
    document.title = title;
  }, [title]);
  return title;
}

/** Where another page has come, the keyboard goes on in it, unless it is there already. */
export function useArrival(content: RefObject<HTMLElement | null>): void {
  const path = useRouterState({ select: ({ resolvedLocation }) => resolvedLocation?.pathname });
  const before = useRef(path);
  useEffect(() => {
    const isFirst = before.current === undefined;
    if (isFirst || before.current === path) {
      before.current = path;
      return;
    }
    before.current = path;
    if (!content.current?.contains(document.activeElement)) content.current?.focus({ preventScroll: true });
  }, [path, content]);
}
