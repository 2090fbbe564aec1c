import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // A case of the kit that hangs fails by itself after ten seconds, with what it waited for.
    testTimeout: 30_000,
  },
});
