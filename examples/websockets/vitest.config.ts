import { project } from "../../vitest.base.ts";

export default project("example-websockets", {
  globalSetup: ["@sessions/test-services/browser-setup", "@sessions/test-services/setup"],
  provide: { needs: ["redis"], services: {} },
  // A browser or two processes are slow on a busy machine. No test waits for this time to pass.
  testTimeout: 60_000,
  hookTimeout: 60_000,
});
