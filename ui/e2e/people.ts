/** Who is known to the server with access control. */
import type { Person } from "./server.ts";

export const PEOPLE = {
  kim: { name: "kim", role: "operator", password: "a good long password of kim" },
  vera: { name: "vera", role: "viewer", password: "a good long password of vera" },
} satisfies Record<string, Person>;
