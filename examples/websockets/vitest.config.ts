import { project } from "../../vitest.base.ts";

export default project("example-websockets", {
  globalSetup: ["@sessions/test-services/browser-setup", "@sessions/test-services/setup"],
  provide: { needs: ["redis"], services: {} },
  // A browser or two processes take their time on a busy machine; no test waits for this to pass.
  testTimeout: 60_000,
  hookTimeout: 60_000,
});
