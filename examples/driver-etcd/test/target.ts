import type { Target } from "@sessions/conformance";
import { startProxy } from "@sessions/conformance/proxy";
import { etcdClient, etcdDriver } from "../src/index.ts";

/** What the kit tests: drivers, each with a client of its own, behind a line that can be cut. */
export async function openTarget(url: string): Promise<{ target: Target; end(): Promise<void> }> {
  const proxy = await startProxy(url);
  return {
    target: {
      name: "etcd",
      open(namespace, about) {
        const client = etcdClient(`http://${proxy.host}:${proxy.port}`);
        return etcdDriver({ client, prefix: `${namespace}:`, timeout: about?.outage ? 1000 : 5000 });
      },
      limits: { fieldsPerCommit: 100 },
      outage: { cut: proxy.cut, restore: proxy.restore, drop: proxy.drop },
    },
    end: proxy.close,
  };
}
