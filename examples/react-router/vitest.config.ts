import { project } from "../../vitest.base.ts";

export default project("example-react-router", {
  globalSetup: ["@sessions/test-services/browser-setup"],
  // A build or a browser takes its time on a busy machine; no test waits for this to pass.
  testTimeout: 60_000,
  hookTimeout: 120_000,
});
