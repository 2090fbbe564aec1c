import { project } from "../../vitest.base.ts";

export default project("two-apps", {
  globalSetup: ["@sessions/test-services/browser-setup", "@sessions/test-services/setup"],
  provide: { needs: ["redis", "mysql", "postgres", "mongodb", "dynamodb"], services: {} },
  // A hundred requests or a browser take their time on a busy machine; no test waits for this to pass.
  testTimeout: 60_000,
  hookTimeout: 60_000,
});
