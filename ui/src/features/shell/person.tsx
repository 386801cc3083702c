/** Who one is, how it looks, and the way out. */
import { Menu } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { logout } from "@/api/access.ts";
import { SCHEMES, type Scheme, useScheme } from "@/app/scheme.ts";
import { useToast } from "@/components/toasts.tsx";
import { useOperator } from "@/operating/operator.tsx";
import classes from "./shell.module.css";

const LOOKS: Record<Scheme, string> = { system: "as the system is", light: "light", dark: "dark" };

export function Person({ onHelp }: { onHelp: () => void }) {
  const operator = useOperator();
  const { chosen, choose } = useScheme();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const toast = useToast();
  const leaving = useMutation({
    mutationFn: logout,
    onSuccess: async () => {
      await navigate({ to: "/login", search: {} });
      // Nothing that was seen stays; who one is, the log-in asks anew.
      queries.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== "me" });
    },
    onError: (error) => toast({ text: `Still logged in: ${error.message}`, failed: true }),
  });
  return (
    <Menu position="bottom-end" width={220}>
      <Menu.Target>
        <button
          type="button"
          className={`tool ${classes.person}`}
          aria-label={operator.name ? `${operator.name}: name, look, keys` : "Name, look, keys"}
        >
          {operator.name ?? "You"}
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{who(operator)}</Menu.Label>
        {operator.hasAccessControl ? (
          <Menu.Item onClick={() => leaving.mutate()}>Log out</Menu.Item>
        ) : (
          <Menu.Item onClick={operator.rename}>{operator.name ? "Change the name" : "Give a name"}</Menu.Item>
        )}
        <Menu.Divider />
        <Menu.Label>Look</Menu.Label>
        <Menu.RadioGroup
          value={chosen}
          onChange={(look) => choose(SCHEMES.find((one) => one === look) ?? "system")}
        >
          {SCHEMES.map((look) => (
            <Menu.RadioItem key={look} value={look}>
              {LOOKS[look]}
            </Menu.RadioItem>
          ))}
        </Menu.RadioGroup>
        <Menu.Divider />
        <Menu.Item onClick={onHelp} rightSection={<kbd>?</kbd>}>
          Show the keys
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

function who({ name, hasAccessControl, mayChange, isAdmin }: ReturnType<typeof useOperator>): string {
  if (!name) return "Changes are made without a name";
  if (!hasAccessControl) return `${name}, as given (no access control)`;
  return `${name}, ${isAdmin ? "admin" : mayChange ? "operator" : "viewer, may not change anything"}`;
}
