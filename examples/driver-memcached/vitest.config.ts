import { project } from "../../vitest.base.ts";

export default project("driver-memcached", {
  globalSetup: ["@sessions/test-services/setup"],
  provide: { needs: ["memcached"], services: {} },
});
