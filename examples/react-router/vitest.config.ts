import { project } from "../../vitest.base.ts";

export default project("example-react-router", {
  globalSetup: ["@sessions/test-services/browser-setup"],
  // A build or a browser is slow on a busy machine. No test waits for this time to pass.
  testTimeout: 60_000,
  hookTimeout: 120_000,
});
