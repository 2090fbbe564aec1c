import { project } from "../../vitest.base.ts";

export default project("better-auth", {
  globalSetup: ["@sessions/test-services/setup"],
  provide: { needs: ["redis"], services: {} },
});
