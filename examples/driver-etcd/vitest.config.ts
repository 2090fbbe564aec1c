import { project } from "../../vitest.base.ts";

export default project("driver-etcd", {
  globalSetup: ["@sessions/test-services/setup"],
  provide: { needs: ["etcd"], services: {} },
});
