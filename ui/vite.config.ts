import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

/** Where `npm run dev` finds a server. */
const server = process.env.BELLWETHER ?? "http://127.0.0.1:9092";
const asked = ["/api", "/services", "/metrics", "/logs", "/retrain", "/healthz", "/readyz", "/-/"];

export default defineConfig({
  // Relative: the server says in <base> where the pages are.
  base: "./",
  plugins: [react()],
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
