import { project } from "../../vitest.base.ts";

export default project("express-session", {
  globalSetup: ["@sessions/test-services/setup"],
  provide: { needs: ["redis", "mysql", "mongodb", "dynamodb"], services: {} },
  // A real server on a busy machine takes its time; no test waits for this to pass.
  testTimeout: 60_000,
  hookTimeout: 60_000,
});
