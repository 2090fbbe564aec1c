import { setTimeout } from "node:timers/promises";
import { SessionConfigError } from "@sessions/core";
import type { AnyRedisClientLike } from "./executors/executor-of.ts";
import type { IoredisLike } from "./executors/ioredis-like.ts";

/** What a URL says about a server. */
interface Target {
  readonly host: string;
  readonly port: number;
  readonly database: number;
  readonly tls: boolean;
  readonly username?: string;
  readonly password?: string;
}

/** Opens a client, which begins to connect. @param connectTimeout Milliseconds, also for a `close()` that waits. */
type OpenClient = (
  target: Target,
  connectTimeout: number,
) => { client: AnyRedisClientLike; close(): Promise<void> };

/** The pause before a client connects again, in milliseconds. */
const pause = (retries: number): number => Math.min(50 * 2 ** retries, 1000);

// The driver's calls report failures; without a listener, an outage would end the process.
const ignore = (): void => {};

/** Calls under way may end. A silent server would make a client wait for ever. */
async function atMost(ms: number, ending: Promise<unknown>): Promise<void> {
  await Promise.race([ending.catch(ignore), setTimeout(ms, undefined, { ref: false })]);
}

// Each package is imported here, so that an application with a client of its own does not need it.

async function redis(): Promise<OpenClient> {
  const { createClient } = await import("redis");
  return ({ host, port, tls, ...account }, connectTimeout) => {
    const socket = { host, port, connectTimeout, reconnectStrategy: pause };
    const client = createClient({ ...account, socket: tls ? { ...socket, tls } : socket });
    client.on("error", ignore);
    client.connect().catch(ignore);
    const close = async () => {
      // A client that is not connected would wait for ever.
      if (client.isReady) await atMost(connectTimeout, client.close());
      if (client.isOpen) client.destroy();
    };
    return { client, close };
  };
}

/** What the clients of ioredis and iovalkey have, beside what the driver's calls use. */
interface IoredisClient extends Omit<IoredisLike, "on"> {
  on(event: "ready" | "close" | "error", listener: () => void): unknown;
  quit(): Promise<unknown>;
  disconnect(): void;
}

type IoredisClass = new (options: {
  host: string;
  port: number;
  db: number;
  connectTimeout: number;
  retryStrategy(times: number): number;
  tls?: object;
}) => IoredisClient;

const openIoredis =
  (Redis: IoredisClass): OpenClient =>
  ({ database, tls, ...target }, connectTimeout) => {
    const retryStrategy = (times: number) => pause(times - 1);
    const client = new Redis({
      ...target,
      db: database,
      ...(tls && { tls: {} }),
      connectTimeout,
      retryStrategy,
    });
    client.on("error", ignore);
    const close = async () => {
      // A client that is not connected would keep QUIT until it is.
      if (client.status === "ready") await atMost(connectTimeout, client.quit());
      client.disconnect();
    };
    return { client, close };
  };

const ioredis = async (): Promise<OpenClient> => openIoredis((await import("ioredis")).Redis);
const iovalkey = async (): Promise<OpenClient> => openIoredis((await import("iovalkey")).Redis);

/**
 * Loads the first package that is installed.
 *
 * @throws SessionConfigError where none is.
 */
export async function loadClients(): Promise<OpenClient> {
  let cause: unknown;
  for (const load of [redis, ioredis, iovalkey])
    try {
      return await load();
    } catch (error) {
      if (Object(error).code !== "ERR_MODULE_NOT_FOUND") throw error;
      cause ??= error;
    }
  throw new SessionConfigError(
    'redis: a URL needs the package redis, ioredis or iovalkey, and none can be found: run "npm install redis"',
    { cause },
  );
}
