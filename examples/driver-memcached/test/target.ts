import type { Target } from "@sessions/conformance";
import { openProxy } from "@sessions/test-services/proxy";
import { MemcacheClient } from "memcache-client";
import { memcachedDriver } from "../src/index.ts";

/** What the kit tests: drivers with four clients, as in four processes, behind a line that can be cut. */
export async function openTarget(url: string): Promise<{ target: Target; end(): Promise<void> }> {
  const proxy = await openProxy(url);
  const clients = Array.from(
    { length: 4 },
    () => new MemcacheClient({ server: `127.0.0.1:${proxy.port}`, connectTimeout: 500 }),
  );
  return {
    target: {
      name: "memcached",
      open(namespace) {
        // Each in turn.
        const [client, ...others] = clients;
        if (!client) throw new Error("No client");
        clients.splice(0, clients.length, ...others, client);
        return memcachedDriver({ client, prefix: `${namespace}:`, timeout: "1s" });
      },
      outage: { cut: proxy.cut, restore: proxy.restore },
    },
    async end() {
      for (const client of clients) client.shutdown();
      await proxy.close();
    },
  };
}
