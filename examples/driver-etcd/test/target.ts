import type { Target } from "@sessions/conformance";
import { openProxy } from "@sessions/test-services/proxy";
import { etcdClient, etcdDriver } from "../src/index.ts";

/** What the kit tests: drivers, each with a client of its own, behind a line that can be cut. */
export async function openTarget(url: string): Promise<{ target: Target; end(): Promise<void> }> {
  const proxy = await openProxy(url);
  return {
    target: {
      name: "etcd",
      open(namespace) {
        const client = etcdClient(`http://127.0.0.1:${proxy.port}`);
        return etcdDriver({ client, prefix: `${namespace}:` });
      },
      limits: { fieldsPerCommit: 100 },
      outage: { cut: proxy.cut, restore: proxy.restore },
    },
    end: proxy.close,
  };
}
