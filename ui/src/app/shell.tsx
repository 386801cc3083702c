/** What stands around every page: where one is, how fresh it is, who one is, and what withholds pages. */
import { Link, Outlet, useLocation, useMatches, useNavigate } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { onSignedOut } from "@/api/client.ts";
import { Toasts } from "@/components/toasts.tsx";
import { Banner } from "@/features/shell/banner.tsx";
import { Finder } from "@/features/shell/finder.tsx";
import { Freshness } from "@/features/shell/freshness.tsx";
import { Help } from "@/features/shell/help.tsx";
import { Person } from "@/features/shell/person.tsx";
import { useKeys } from "@/lib/keys.ts";
import { LiveProvider } from "@/live/live.tsx";
import { OperatorProvider } from "@/operating/operator.tsx";
import classes from "./shell.module.css";
import { placeOf } from "./title.ts";
import { useArrival, useTitle } from "./use-arrival.ts";

const PAGES = [
  { to: "/", name: "Overview", key: "g o" },
  { to: "/incidents", name: "Incidents", key: "g i" },
  { to: "/logs", name: "Logs", key: "g l" },
  { to: "/models", name: "Models & data", key: "g m" },
  { to: "/status", name: "Status", key: "g s" },
] as const;

export function Shell() {
  const path = useLocation({ select: (location) => location.pathname });
  // Of the page that is shown: the address is ahead of it while the next one loads.
  const isLogin = useMatches({ select: (matches) => matches.some(({ routeId }) => routeId === "/login") });
  useTitle(path);
  if (isLogin) return <Outlet />;
  return (
    <Toasts>
      <LiveProvider>
        <OperatorProvider>
          <Frame />
        </OperatorProvider>
      </LiveProvider>
    </Toasts>
  );
}

function Frame() {
  const navigate = useNavigate();
  const here = useLocation({ select: (location) => location.href });
  const place = useLocation({ select: (location) => placeOf(location.pathname) });
  const [open, setOpen] = useState<"finder" | "help" | null>(null);
  const close = () => setOpen(null);
  const content = useRef<HTMLElement>(null);
  useArrival(content);
  const isLeaving = useLocation({ select: (location) => location.pathname === "/login" });
  useEffect(() => {
    // Other questions are refused, too, while the log-in is on its way.
    if (isLeaving) return;
    return onSignedOut(() => void navigate({ to: "/login", search: { next: here }, replace: true }));
  }, [navigate, here, isLeaving]);
  useKeys({
    "/": () => setOpen("finder"),
    "?": () => setOpen("help"),
    ...Object.fromEntries(PAGES.map(({ to, key }) => [key, () => void navigate({ to })])),
  });
  return (
    <div className={classes.frame}>
      <button type="button" className={classes.skip} onClick={() => content.current?.focus()}>
        To the content
      </button>
      <header className={classes.header}>
        <Link to="/" className={classes.name}>
          Bellwether
        </Link>
        <nav aria-label="Pages" className={classes.pages}>
          {PAGES.map(({ to, name }) => (
            <Link
              key={to}
              to={to}
              className={classes.page}
              activeProps={{ className: `${classes.page} ${classes.active}`, "aria-current": "page" }}
              activeOptions={{ exact: to === "/", includeSearch: false }}
            >
              {name}
            </Link>
          ))}
        </nav>
        <div className={classes.tools}>
          <button
            type="button"
            className="tool"
            aria-haspopup="dialog"
            aria-keyshortcuts="/"
            onClick={() => setOpen("finder")}
          >
            Search <kbd className={classes.key}>/</kbd>
          </button>
          <Freshness />
          <Person onHelp={() => setOpen("help")} />
        </div>
      </header>
      <Banner />
      <main id="content" ref={content} className={classes.content} tabIndex={-1} aria-label={place}>
        <Outlet />
      </main>
      <Finder opened={open === "finder"} onClose={close} />
      <Help opened={open === "help"} onClose={close} />
    </div>
  );
}
