/** Which page an address shows. Filters and ranges live in the address, so that it can be shared. */
import {
  createRootRoute,
  createRoute,
  createRouter,
  type ErrorComponentProps,
  Link,
  lazyRouteComponent,
} from "@tanstack/react-router";
import { Empty, Failed } from "@/components/face.tsx";
import { only, parseSearch, type Search, stringifySearch } from "./search.ts";
import { Shell } from "./shell.tsx";

const rootRoute = createRootRoute({
  component: Shell,
  errorComponent: ({ error, reset }: ErrorComponentProps) => (
    <Failed what="this page" error={error} again={reset} />
  ),
  notFoundComponent: () => (
    <Empty title="There is no such page" isPage>
      <p>
        The address leads nowhere. The <Link to="/">overview</Link> shows all services.
      </p>
    </Empty>
  ),
});

const overview = createRoute({
  getParentRoute: () => rootRoute,
  path: "/",
  validateSearch: (search: Search) => only(search, "text", "state", "range", "as"),
  component: lazyRouteComponent(() => import("@/pages/overview.tsx"), "OverviewPage"),
});

const service = createRoute({
  getParentRoute: () => rootRoute,
  path: "/services/$service",
  validateSearch: (search: Search) => only(search, "range"),
  component: lazyRouteComponent(() => import("@/pages/service.tsx"), "ServicePage"),
});

const incidents = createRoute({
  getParentRoute: () => rootRoute,
  path: "/incidents",
  validateSearch: (search: Search) =>
    only(search, "status", "severity", "service", "metric", "kind", "owner", "text", "range", "sort"),
  component: lazyRouteComponent(() => import("@/pages/incidents.tsx"), "IncidentsPage"),
});

const incident = createRoute({
  getParentRoute: () => rootRoute,
  path: "/incidents/$id",
  validateSearch: (search: Search) => only(search, "range", "metric"),
  component: lazyRouteComponent(() => import("@/pages/incident.tsx"), "IncidentPage"),
});

const logs = createRoute({
  getParentRoute: () => rootRoute,
  path: "/logs",
  validateSearch: (search: Search) => only(search, "service", "range", "at", "level", "text", "order"),
  component: lazyRouteComponent(() => import("@/pages/logs.tsx"), "LogsPage"),
});

const models = createRoute({
  getParentRoute: () => rootRoute,
  path: "/models",
  validateSearch: (search: Search) => only(search, "text", "sort", "outcome", "show", "open"),
  component: lazyRouteComponent(() => import("@/pages/models.tsx"), "ModelsPage"),
});

const status = createRoute({
  getParentRoute: () => rootRoute,
  path: "/status",
  validateSearch: (search: Search) => only(search, "find"),
  component: lazyRouteComponent(() => import("@/pages/status.tsx"), "StatusPage"),
});

const login = createRoute({
  getParentRoute: () => rootRoute,
  path: "/login",
  validateSearch: (search: Search) => only(search, "next"),
  component: lazyRouteComponent(() => import("@/pages/login.tsx"), "LoginPage"),
});

export const router = createRouter({
  routeTree: rootRoute.addChildren([overview, service, incidents, incident, logs, models, status, login]),
  basepath: new URL(document.baseURI).pathname,
  parseSearch,
  stringifySearch,
  defaultPreload: "intent",
  scrollRestoration: true,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
