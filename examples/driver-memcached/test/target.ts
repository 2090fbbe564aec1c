import type { Target } from "@sessions/conformance";
import { startProxy } from "@sessions/conformance/proxy";
import { MemcacheClient } from "memcache-client";
import { memcachedDriver } from "../src/index.ts";

/** What the kit tests: drivers with four clients, as in four processes, behind a line that can be cut. */
export async function openTarget(url: string): Promise<{ target: Target; end(): Promise<void> }> {
  const proxy = await startProxy(url);
  const clients = Array.from(
    { length: 4 },
    () => new MemcacheClient({ server: `${proxy.host}:${proxy.port}`, connectTimeout: 500 }),
  );
  let opened = 0;
  return {
    target: {
      name: "memcached",
      open(namespace, about) {
        const client = clients[opened++ % clients.length];
        if (!client) throw new Error("No client");
        return memcachedDriver({ client, prefix: `${namespace}:`, timeout: about?.outage ? 500 : 2000 });
      },
      outage: { cut: proxy.cut, restore: proxy.restore, drop: proxy.drop },
    },
    async end() {
      for (const client of clients) client.shutdown();
      await proxy.close();
    },
  };
}
