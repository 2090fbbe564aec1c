import { project } from "../../vitest.base.ts";

export default project("driver-mongodb", {
  globalSetup: ["@sessions/test-services/setup"],
  provide: { needs: ["mongodb"], services: {} },
  // A real server on a busy machine takes its time; no test waits for this to pass.
  testTimeout: 60_000,
  hookTimeout: 60_000,
});
