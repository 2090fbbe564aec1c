import { testDriver } from "@sessions/conformance";
import { startProxy } from "@sessions/conformance/proxy";
import { withService } from "@sessions/driver-tests";
import { afterAll, describe, test } from "vitest";
import { dynamodbDriver } from "../src/index.ts";
import { clientOf } from "./support.ts";

await withService("dynamodb", async (service) => {
  const proxy = await startProxy(service.url);
  const client = clientOf(proxy.url);
  afterAll(async () => {
    client.destroy();
    await proxy.close();
  });
  const outage = { cut: proxy.cut, restore: proxy.restore, drop: proxy.drop };

  describe("dynamodb: a client as the SDK makes it", () => {
    testDriver({
      test,
      target: {
        name: "client",
        open: (namespace, about) =>
          dynamodbDriver({ client, table: namespace, timeout: about?.outage ? 2_000 : 4_000 }),
        outage,
      },
    });
  });
});
