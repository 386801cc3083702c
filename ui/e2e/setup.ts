/** Starts what all tests look at, once, and says where it is. */
import type { TestProject } from "vitest/node";
import { type Running, startBelow, startDemo } from "./server.ts";

export const PREFIX = "/ops/bellwether";

declare module "vitest" {
  export interface ProvidedContext {
    /** A demo with open incidents. */
    demo: string;
    /** The same services, served below a path prefix. */
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
    const below = await startBelow(PREFIX, demo);
    started.push(below);
    project.provide("demo", demo);
    project.provide("prefixed", below.url);
  } catch (error) {
    await stop();
    throw error;
  }
  return stop;
}
