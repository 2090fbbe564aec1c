import { startRedisServer } from "@sessions/test-services/redis";
import type { Server } from "@sessions/test-services/server";
import { createClient, type RedisClientOptions } from "redis";
import { onTestFinished } from "vitest";

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
