import { project } from "../../vitest.base.ts";

export default project("two-apps", {
  globalSetup: ["@sessions/test-services/browser-setup", "@sessions/test-services/setup"],
  provide: { needs: ["redis", "mysql", "postgres", "mongodb", "dynamodb"], services: {} },
  // A hundred requests or a browser are slow on a busy machine. No test waits for this time to pass.
  testTimeout: 60_000,
  hookTimeout: 60_000,
});
