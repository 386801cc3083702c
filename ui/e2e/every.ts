/** Every page that there is, at an address that shows something. */
import { openIncident } from "./api.ts";

export async function everyPage(): Promise<[name: string, path: string][]> {
  return [
    ["overview", "/"],
    ["service", "/services/payments"],
    ["incidents", "/incidents"],
    ["incident", `/incidents/${await openIncident("payments")}`],
    ["logs", "/logs?service=payments"],
    ["models", "/models"],
    ["status", "/status"],
    ["login", "/login"],
  ];
}
