/** The server and the fleet that `scripts/bench_ui.sh` has started. */

function address(name: string): string {
  const url = process.env[name];
  if (!url) throw new Error(`${name} names no address; \`make bench-ui\` starts all that is measured`);
  return url;
}

export const server = () => address("BELLWETHER");

export async function asked<T>(path: string): Promise<T> {
  const answer = await fetch(server() + path);
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}

async function post(url: string, body: unknown): Promise<void> {
  const answer = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
}

export const comment = (incident: number, note: string) =>
  post(`${server()}/api/v1/incidents/${incident}/comment`, { note });

export const fault = (service: string, length: string) =>
  post(`${address("FLEET")}/faults`, { kind: "error-burst", service, magnitude: 3, for: length });

/** Unresolved incidents, the newest first. */
export const unresolved = (limit: number) =>
  asked<{ items: { id: number; service: string }[] }>(
    `/api/v1/incidents?status=OPEN,ACKNOWLEDGED&sort=-opened&limit=${limit}`,
  ).then(({ items }) => items);
