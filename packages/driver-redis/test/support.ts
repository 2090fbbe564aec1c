import { randomBytes } from "node:crypto";
import type { Driver, NewRecord } from "@sessions/core";
import { startRedisServer } from "@sessions/test-services/redis";
import type { Server } from "@sessions/test-services/server";
import { createClient, type RedisClientOptions } from "redis";
import { onTestFinished } from "vitest";

export const HOUR = 3_600_000;

export const newId = (): string => randomBytes(16).toString("hex");

export async function begin(driver: Driver, record: Partial<NewRecord> = {}): Promise<string> {
  const id = newId();
  const now = Date.now();
  const created = await driver.create(id, { expiresAt: now + HOUR, fields: new Map(), ...record }, now);
  if (!created) throw new Error(`${id} was taken`);
  return id;
}

export type Client = ReturnType<typeof createClient>;

/** A connected client, until the test is over; a server that goes away is no crash. */
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
