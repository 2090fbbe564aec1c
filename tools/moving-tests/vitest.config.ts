import { project } from "../../vitest.base.ts";

export default project("moving", {
  globalSetup: ["@sessions/test-services/setup"],
  provide: { needs: ["redis"], services: {} },
});
