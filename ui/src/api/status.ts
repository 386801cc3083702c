/** How Bellwether itself is, who is paged, and what is withheld. */
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { ask, client, type Schemas } from "./client.ts";

export type Status = Schemas["Status"];
export type Receiver = Schemas["ReceiverView"];
export type Mute = Schemas["MuteView"];
export type Notice = Schemas["NoticeView"];

export const status = () =>
  queryOptions({
    queryKey: ["status"],
    queryFn: ({ signal }) => ask(client.GET("/api/v1/status", { signal })),
    meta: { live: true },
  });

export const configuration = () =>
  queryOptions({
    queryKey: ["config"],
    queryFn: ({ signal }) => ask(client.GET("/api/v1/config", { signal })),
  });

/** The same as it would stand in `config.yaml`. */
export const configurationText = () =>
  queryOptions({
    queryKey: ["config", "yaml"],
    queryFn: async ({ signal }) => {
      const text: unknown = await ask(
        client.GET("/api/v1/config", { params: { query: { format: "yaml" } }, parseAs: "text", signal }),
      );
      return String(text);
    },
  });

export const receivers = () =>
  queryOptions({
    queryKey: ["receivers"],
    queryFn: ({ signal }) => ask(client.GET("/api/v1/receivers", { signal })).then((page) => page.items),
    meta: { live: true },
  });

export const mutes = () =>
  queryOptions({
    queryKey: ["mutes"],
    queryFn: ({ signal }) =>
      ask(client.GET("/api/v1/mutes", { params: { query: { active: true, limit: 1000 } }, signal })).then(
        (page) => page.items,
      ),
    meta: { live: true },
  });

export const notices = (limit = 50) =>
  infiniteQueryOptions({
    queryKey: ["notices", limit],
    queryFn: ({ pageParam, signal }) =>
      ask(
        client.GET("/api/v1/notices", {
          params: { query: { limit, cursor: pageParam === undefined ? undefined : Number(pageParam) } },
          signal,
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });

/** Those that stand so. */
export const noticesThatAre = (state: Schemas["NoticeStateWord"], limit = 20) =>
  infiniteQueryOptions({
    queryKey: ["notices", state, limit],
    queryFn: ({ pageParam, signal }) =>
      ask(client.GET("/api/v1/notices", { params: { query: { state, limit, cursor: pageParam } }, signal })),
    initialPageParam: undefined as number | undefined,
    getNextPageParam: (page) => (page.next_cursor ? Number(page.next_cursor) : undefined),
    meta: { live: true },
  });

/** Who was told of an incident, and why others were not; oldest first. */
export const noticesOf = (incident: number) =>
  queryOptions({
    queryKey: ["notices", "of", incident],
    queryFn: ({ signal }) =>
      ask(client.GET("/api/v1/notices", { params: { query: { incident, limit: 200 } }, signal })).then(
        (page) => page.items.toReversed(),
      ),
    meta: { live: true },
  });

export const mute = (service: string, span: string | null, note?: string): Promise<Mute> =>
  ask(client.POST("/api/v1/mutes", { body: { service, for: span ?? undefined, note } }));

export const unmute = (id: number): Promise<Mute> =>
  ask(client.DELETE("/api/v1/mutes/{id}", { params: { path: { id } } }));

export const setShadow = (on: boolean, span: string | null, note?: string): Promise<Schemas["Shadow"]> =>
  ask(client.POST("/api/v1/shadow", { body: { on, for: span ?? undefined, note } }));

export const reload = (): Promise<Schemas["ReloadView"]> => ask(client.POST("/-/reload"));
