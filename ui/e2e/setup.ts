/** Starts what all tests look at, once, and says where it is. */
import type { TestProject } from "vitest/node";
import { PEOPLE } from "./people.ts";
import { type Running, startBelow, startDemo } from "./server.ts";

const PREFIX = "/ops/bellwether";

declare module "vitest" {
  export interface ProvidedContext {
    /** A demo with open incidents. */
    demo: string;
    /** The same services below a path prefix, for those who log in: see people.ts. */
    prefixed: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const started: Running[] = [];
  const stop = async () => {
    for (const running of started.reverse()) await running.stop();
  };
  try {
    let demo = process.env.BELLWETHER;
    if (!demo) {
      const running = await startDemo();
      started.push(running);
      demo = running.url;
    }
    const below = await startBelow(PREFIX, demo, Object.values(PEOPLE));
    started.push(below);
    project.provide("demo", demo);
    project.provide("prefixed", below.url);
  } catch (error) {
    await stop();
    throw error;
  }
  return stop;
}
