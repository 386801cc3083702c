import { defineConfig } from "vitest/config";

/** The pages in a real browser against the real binary; see e2e/README.md. */
export default defineConfig({
  test: {
    include: [process.env.SCREENSHOTS ? "e2e/screenshots.ts" : "e2e/**/*.e2e.ts"],
    globalSetup: ["e2e/setup.ts"],
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 300_000,
    // A page shows what it was told within moments, on a busy machine within seconds.
    expect: { poll: { timeout: 15_000 } },
    // Servers end after what they do.
    teardownTimeout: 60_000,
  },
});
