import { defineProject } from "vitest/config";

export default defineProject({
  ssr: { resolve: { conditions: ["@sessions/source", "node", "import", "default"] } },
  test: { name: "core", include: ["test/**/*.test.ts"], typecheck: { enabled: false } },
});
