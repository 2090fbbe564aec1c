import { startProxy, type TestProxy } from "@sessions/conformance/proxy";
import { startRedisServer } from "@sessions/test-services/redis";
import { askRedis, type RedisCluster, startRedisCluster } from "@sessions/test-services/redis-cluster";
import type { Server } from "@sessions/test-services/server";
import { createClient, type RedisClientOptions } from "redis";
import { onTestFinished, vi } from "vitest";

export { begin, HOUR, newId } from "@sessions/driver-tests/records";

export type Client = ReturnType<typeof createClient>;

/** A connected client until the end of the test; the loss of its server ends no process. */
export async function connect(url: string, options: RedisClientOptions = {}): Promise<Client> {
  const client: Client = createClient({ socket: { reconnectStrategy: 20 }, ...options, url });
  client.on("error", () => {});
  await client.connect();
  onTestFinished(() => client.destroy());
  return client;
}

/** A Redis of the test's own, with a client. */
export async function ownServer(
  args: readonly string[] = [],
): Promise<{ server: Server; url: string; client: Client }> {
  const server = await startRedisServer(args);
  onTestFinished(() => server.stop("SIGKILL"));
  const url = `redis://${server.host}:${server.port}`;
  return { server, url, client: await connect(url) };
}

/** A cluster with a proxy in front of each server. */
interface ClusterBehindProxies {
  readonly cluster: RedisCluster;
  readonly proxies: readonly TestProxy[];
  /** The addresses of the servers, and of their proxies. */
  readonly addresses: readonly (readonly [server: string, proxy: { host: string; port: number }])[];
  readonly outage: { cut(): Promise<void>; restore(): Promise<void>; drop(): Promise<void> };
  stop(): Promise<void>;
}

/** Starts such a cluster. With `announced`, the servers themselves tell clients the addresses of the proxies. */
export async function startClusterBehindProxies(announced = false): Promise<ClusterBehindProxies> {
  const cluster = await startRedisCluster();
  const proxies = await Promise.all(
    cluster.servers.map(({ host, port }) => startProxy(`redis://${host}:${port}`)),
  );
  const each = async (act: (proxy: TestProxy, i: number) => Promise<unknown>): Promise<void> =>
    void (await Promise.all(proxies.map(act)));
  if (announced)
    await each(async (proxy, i) => {
      const port = cluster.servers[i]?.port ?? 0;
      const [, bus = ""] = (await askRedis(port, "config", "get", "cluster-port")).split("\n");
      await askRedis(port, "config", "set", "cluster-announce-bus-port", bus);
      await askRedis(port, "config", "set", "cluster-announce-port", String(proxy.port));
    });
  if (announced)
    // A client that connects before the servers have told each other would go around the proxies.
    await vi.waitFor(
      () =>
        each(async (_, i) => {
          const nodes = await askRedis(cluster.servers[i]?.port ?? 0, "cluster", "nodes");
          const old = cluster.servers.find(({ port }) => nodes.includes(`:${port}@`));
          if (old) throw new Error(`Server ${i} still names the address of another`);
        }),
      { timeout: 20_000 },
    );
  return {
    cluster,
    proxies,
    addresses: cluster.servers.map(({ host, port }, i) => [
      `${host}:${port}`,
      { host, port: proxies[i]?.port ?? 0 },
    ]),
    outage: {
      cut: () => each((proxy) => proxy.cut()),
      restore: () => each((proxy) => proxy.restore()),
      // The answer of the server that is asked first is lost, and no other.
      async drop() {
        const sent = proxies.map(({ bytes }) => bytes.toServer);
        await each((proxy) => proxy.drop());
        const disarm = () => {
          if (proxies.every(({ bytes }, i) => bytes.toServer === sent[i])) setImmediate(disarm);
          else void each((proxy) => proxy.restore());
        };
        setImmediate(disarm);
      },
    },
    async stop() {
      await each((proxy) => proxy.close());
      await cluster.stop();
    },
  };
}
