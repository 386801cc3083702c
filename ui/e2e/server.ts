/** The real binary, started in a folder of its own and ended with the tests. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

/** Models are trained, and a fault has to last before it is an incident. */
const PATIENCE_MS = 240_000;
const LOOK_AGAIN_MS = 500;
/** What is shown of what a process wrote before it failed. */
const WRITTEN_MAX = 4_000;

/** A slow service, and those that call it. */
const AFFECTED = ["payments", "orders", "gateway"];

export type Running = { url: string; stop: () => Promise<void> };

/** The demo: six services, and payments so slow that its callers have incidents as well. */
export async function startDemo(): Promise<Running> {
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), "bellwether-e2e-"));
  const fault = ["--fault", "slow-dependency", "--magnitude", "4", "--fault-after", "1", "--for", "6h"];
  const demo = run(
    ["demo", "--listen", `127.0.0.1:${port}`, "--dir", folder, "--history", "1d", ...fault],
    folder,
  );
  const url = `http://127.0.0.1:${port}`;
  await demo.until("models", async () => ((await asked(url, "/api/v1/status")).models ?? 0) > 0);
  await demo.until("explained incidents", async () => {
    const open = (await asked(url, "/api/v1/incidents?status=OPEN")).items ?? [];
    const all = await Promise.all(open.map(({ id }) => asked(url, `/api/v1/incidents/${id}`)));
    const explained = all.flatMap(({ service, explanation }) => (service && explanation ? [service] : []));
    return AFFECTED.every((service) => explained.includes(service));
  });
  return { url, stop: demo.stop };
}

/** Who may come in. */
export type Person = { name: string; role: "viewer" | "operator" | "admin"; password: string };

/** A server behind a path prefix that asks who comes, whose Prometheus is the demo's store. */
export async function startBelow(prefix: string, demo: string, people: Person[]): Promise<Running> {
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), "bellwether-e2e-"));
  const users = join(folder, "users");
  await writeFile(users, people.map(line).join(""), { mode: 0o600 });
  const config = [
    `listen: 127.0.0.1:${port}`,
    `data_dir: ${join(folder, "data")}`,
    `prometheus: { url: '${demo}/prometheus' }`,
    `server: { base_path: ${prefix}, auth: { users_file: ${users} } }`,
  ];
  await writeFile(join(folder, "config.yaml"), `${config.join("\n")}\n`);
  const server = run(["serve", "--config", join(folder, "config.yaml")], folder);
  const url = `http://127.0.0.1:${port}${prefix}`;
  await server.until("an answer", async () => (await fetch(`${url}/healthz`)).ok);
  return { url, stop: server.stop };
}

/** What tests read of answers, which is little. */
type Answered = { models?: number; items?: { id: number }[]; service?: string; explanation?: unknown };

async function asked(url: string, path: string): Promise<Answered> {
  const answer = await fetch(url + path);
  return answer.ok ? ((await answer.json()) as Answered) : {};
}

function binary(): string {
  const target = process.env.CARGO_TARGET_DIR ?? resolve(import.meta.dirname, "../../target");
  const path = resolve(process.env.BELLWETHER_BIN ?? join(target, "debug/bellwether"));
  if (!existsSync(path))
    throw new Error(`${path} is not there: cargo build -p server, or set BELLWETHER_BIN`);
  return path;
}

/** The environment without what the tests are told there: the server reads its configuration from it. */
function own(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("BELLWETHER")));
}

/** As the file of users has it. */
function line({ name, role, password }: Person): string {
  return execFileSync(binary(), ["access", "password", name, "--role", role], {
    input: `${password}\n`,
    env: own(),
    encoding: "utf8",
    stdio: ["pipe", "pipe", "ignore"],
  });
}

function run(args: string[], folder: string) {
  let written = "";
  const child: ChildProcess = spawn(binary(), args, { stdio: ["ignore", "pipe", "pipe"], env: own() });
  const ended = new Promise<void>((done) => child.once("exit", () => done()));
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (text: Buffer) => {
      written = (written + text.toString()).slice(-WRITTEN_MAX);
    });
  }
  const stop = async () => {
    child.kill("SIGINT");
    await Promise.race([ended, pause(10_000).then(() => child.kill("SIGKILL"))]);
    await ended;
    await rm(folder, { recursive: true, force: true });
  };
  const until = async (what: string, isThere: () => Promise<boolean>) => {
    const latest = Date.now() + PATIENCE_MS;
    while (Date.now() < latest && child.exitCode === null && child.signalCode === null) {
      if (await isThere().catch(() => false)) return;
      await pause(LOOK_AGAIN_MS);
    }
    await stop();
    throw new Error(`${args[0]}: no ${what}. It wrote:\n${written}`);
  };
  return { stop, until };
}

function freePort(): Promise<number> {
  return new Promise((done, failed) => {
    const server = createServer();
    server.once("error", failed);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() =>
        typeof address === "object" && address ? done(address.port) : failed(new Error("no port")),
      );
    });
  });
}
