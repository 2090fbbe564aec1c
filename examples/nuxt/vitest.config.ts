import { project } from "../../vitest.base.ts";

export default project("example-nuxt", {
  globalSetup: ["@sessions/test-services/browser-setup"],
  // A browser is slow on a busy machine. No test waits for this time to pass.
  testTimeout: 60_000,
  hookTimeout: 60_000,
});
