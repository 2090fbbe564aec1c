import { project } from "../../vitest.base.ts";

export default project("driver-sqlite", {
  // A busy machine takes its time; no test waits for this to pass.
  testTimeout: 120_000,
  hookTimeout: 120_000,
});
