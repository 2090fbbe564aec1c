import { project } from "../../vitest.base.ts";

export default project("driver-postgres", {
  globalSetup: ["@sessions/test-services/setup"],
  provide: { needs: ["postgres"], services: {} },
  // A busy machine takes its time; no test waits for this to pass.
  testTimeout: 60_000,
  hookTimeout: 60_000,
});
