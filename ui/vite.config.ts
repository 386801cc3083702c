import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { constants, gzip } from "node:zlib";
import react from "@vitejs/plugin-react";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

/** Where `npm run dev` finds a server. */
const server = process.env.BELLWETHER ?? "http://127.0.0.1:9092";
const asked = ["/api", "/services", "/metrics", "/logs", "/retrain", "/healthz", "/readyz", "/-/"];

/** Beside each file of `assets` its gzipped form, which the server sends as it is. */
const gzipped: Plugin = {
  name: "gzipped",
  apply: "build",
  async writeBundle({ dir = "." }, bundle) {
    const smaller = promisify(gzip);
    for (const name of Object.keys(bundle).filter((name) => name.startsWith("assets/"))) {
      const path = join(dir, name);
      const plain = await readFile(path);
      const small = await smaller(plain, { level: constants.Z_BEST_COMPRESSION });
      if (small.length < plain.length) await writeFile(`${path}.gz`, small);
    }
  },
};

export default defineConfig({
  // Relative: the server says in <base> where the pages are.
  base: "./",
  plugins: [react(), gzipped],
  resolve: { alias: { "@": fileURLToPath(new URL("./src", import.meta.url)) } },
  build: {
    target: "es2022",
    // No data: addresses, which the content security policy would have to allow.
    assetsInlineLimit: 0,
    // Its helper would add inline styles and addresses from the root.
    modulePreload: { polyfill: false },
  },
  server: { proxy: Object.fromEntries(asked.map((path) => [path, server])) },
  test: {
    environment: "happy-dom",
    include: ["src/**/*.test.{ts,tsx}"],
    setupFiles: ["src/testing.ts"],
    restoreMocks: true,
  },
});
