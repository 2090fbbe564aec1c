import { defineProject, type UserWorkspaceConfig } from "vitest/config";

const config: UserWorkspaceConfig = defineProject({
  ssr: { resolve: { conditions: ["@sessions/source", "node", "import", "default"] } },
  test: { name: "adapter-node", include: ["test/**/*.test.ts"] },
});

export default config;
