import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Some cases of the kit make hundreds of calls, and an outage takes a moment.
    testTimeout: 30_000,
  },
});
