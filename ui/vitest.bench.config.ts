import { defineConfig } from "vitest/config";

/** How fast the pages are in a real browser; see bench/README.md. */
export default defineConfig({
  test: {
    include: ["bench/**/*.bench.ts"],
    disableConsoleIntercept: true,
    // A measurement that is not finished by then never will be.
    testTimeout: 3_600_000,
    hookTimeout: 60_000,
  },
});
