/** Who asks. */
import { queryOptions } from "@tanstack/react-query";
import { ask, client, type Schemas } from "./client.ts";

export type Me = Schemas["MeView"];

export const me = () =>
  queryOptions({
    queryKey: ["me"],
    queryFn: ({ signal }) => ask(client.GET("/api/v1/me", { signal })),
    staleTime: 60_000,
    retry: false,
  });

export const login = (name: string, password: string): Promise<Schemas["LoginView"]> =>
  ask(client.POST("/api/v1/login", { body: { name, password } }));

export const logout = (): Promise<unknown> => ask(client.POST("/api/v1/logout"));
