/** The API, asked beside the pages: what they show must be what it says. */
import { expect, inject } from "vitest";
import type { Schemas } from "../src/api/client.ts";

export type Incident = Schemas["Incident"];
type Sent = { body?: unknown; by?: string };

/** The answer of the demo; refusals throw. */
export async function asked<T>(path: string, sent?: Sent): Promise<T> {
  const answer = await fetch(inject("demo") + path, {
    method: sent ? "POST" : "GET",
    headers: { "Content-Type": "application/json", ...(sent?.by ? { "X-Operator": sent.by } : {}) },
    body: sent && JSON.stringify(sent.body ?? {}),
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}

export function incidentOf(id: number): Promise<Incident> {
  return asked(`/api/v1/incidents/${id}`);
}

/** The incident that is not resolved. */
export async function openIncident(service: string): Promise<number> {
  const open = await asked<Schemas["IncidentPage"]>(
    `/api/v1/incidents?status=OPEN,ACKNOWLEDGED&limit=1&service=${service}`,
  );
  const [incident] = open.items;
  if (!incident) throw new Error(`no incident of ${service} is open`);
  return incident.id;
}

/** Somebody who sits elsewhere does it. */
export function elsewhere(id: number, action: string, body?: unknown): Promise<Incident> {
  return asked(`/api/v1/incidents/${id}/${action}`, { body, by: "mara" });
}

/** Open and nobody's, whatever a test has made of it. */
export async function asBefore(id: number): Promise<void> {
  const { status } = await incidentOf(id);
  if (status !== "OPEN") await elsewhere(id, "reopen");
  await elsewhere(id, "assign", { owner: null });
}

/** Until the API says so. */
export function known<T>(id: number, what: (incident: Incident) => T) {
  return expect.poll(async () => what(await incidentOf(id)));
}
