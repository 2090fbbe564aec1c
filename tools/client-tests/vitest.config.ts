import { level, project } from "../../vitest.base.ts";

export default project("clients", {
  // Only the long tests reach a server: a file that calls withService() is a .long.test.ts.
  ...(level !== "usual" && { globalSetup: ["@sessions/test-services/setup"] }),
  provide: { needs: ["postgres", "mysql", "redis", "mongodb", "dynamodb"], services: {} },
  testTimeout: 60_000,
  hookTimeout: 60_000,
});
