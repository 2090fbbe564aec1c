import { project } from "../../vitest.base.ts";

export default project("driver-dynamodb", {
  globalSetup: ["@sessions/test-services/setup"],
  provide: { needs: ["dynamodb"], services: {} },
  // One server for all of them, whose every write waits for the one before: a sweep would make the others late.
  fileParallelism: false,
  // A real server on a busy machine takes its time; no test waits for this to pass.
  testTimeout: 60_000,
  hookTimeout: 60_000,
});
