import { testDriver } from "@sessions/conformance";
import { startProxy } from "@sessions/conformance/proxy";
import { withService } from "@sessions/driver-tests";
import { afterAll, describe, test } from "vitest";
import { fromUrl } from "../src/index.ts";

await withService("dynamodb", async (service) => {
  const proxy = await startProxy(service.url);
  afterAll(() => proxy.close());
  const outage = { cut: proxy.cut, restore: proxy.restore, drop: proxy.drop };

  describe("dynamodb: fromUrl", () => {
    testDriver({
      test,
      target: {
        name: "fromUrl",
        open: (namespace) => fromUrl(`${proxy.url}/${namespace}`, { timeout: 2_000 }),
        outage,
      },
    });
  });
});
