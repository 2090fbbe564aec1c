import { project } from "../../vitest.base.ts";

export default project("example-nest", {
  globalSetup: ["@sessions/test-services/browser-setup"],
  // A browser takes its time on a busy machine; no test waits for this to pass.
  testTimeout: 60_000,
  hookTimeout: 60_000,
});
