/** A wire between browser and server that can be cut and mended. */
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export type Wire = { url: string; cut(): Promise<void>; mend(): Promise<void> };

export async function wireTo(url: string): Promise<Wire> {
  const { hostname, port } = new URL(url);
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(Number(port), hostname);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.pipe(other);
      // One end that breaks is an end of both.
      one.on("error", () => other.destroy());
      one.on("close", () => {
        sockets.delete(one);
        other.destroy();
      });
    }
  });
  const listen = (at: number) =>
    new Promise<number>((done, failed) => {
      server.once("error", failed);
      server.listen(at, "127.0.0.1", () => done((server.address() as AddressInfo).port));
    });
  const at = await listen(0);
  return {
    url: `http://127.0.0.1:${at}`,
    cut: () =>
      new Promise((done) => {
        server.close(() => done());
        for (const socket of sockets) socket.destroy();
      }),
    mend: async () => void (await listen(at)),
  };
}
