import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["tests/**/*.test.ts"],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
    // vitest asks for colours where CI is set, also of the commands that tests start; what those print is compared as text.
    env: { NO_COLOR: "1" },
  },
});
