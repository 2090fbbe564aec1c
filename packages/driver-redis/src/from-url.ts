import {
  type ClosableDriver,
  type Duration,
  type ListingDriver,
  type ProvisionedDriver,
  SessionConfigError,
} from "@sessions/core";
import { milliseconds } from "@sessions/core/driver-tools";
import { createClient } from "redis";
import { type RedisDriverOptions, redisDriver } from "./driver.ts";

/** Options of `fromUrl`: those of `redisDriver`, but the client. */
export type RedisUrlOptions = Omit<RedisDriverOptions, "client">;

/**
 * Opens a client for `redis://[[user]:password@]host[:port][/database]` (`rediss:` for TLS) and a driver on it, whose
 * `close()` closes the client. It does not wait for the server: until that is there, calls are
 * `DriverUnavailableError`. Cluster and Sentinel need more than a URL: make their client yourself.
 *
 * @throws SessionConfigError for a URL that is none, without showing it, and for bad options.
 */
export async function fromUrl(
  url: string,
  options: RedisUrlOptions = {},
): Promise<ListingDriver & ProvisionedDriver & ClosableDriver> {
  const timeout: Duration = options.timeout ?? "2s";
  const connectTimeout = milliseconds("timeout", timeout);
  let client: ReturnType<typeof open>;
  try {
    client = open(url, connectTimeout);
  } catch {
    // The error, its cause included, may show the password.
    throw new SessionConfigError(
      "The URL must be like redis://user:password@host:6379/0, or rediss:// for TLS",
    );
  }
  const driver = redisDriver({ client, ...options });
  // What is wrong is told by the calls.
  client.on("error", () => {});
  client.connect().catch(() => {});
  return {
    ...driver,
    async close() {
      // One that is not connected would wait for the server before it ends.
      if (client.isReady) await client.close();
      else if (client.isOpen) client.destroy();
    },
  };
}

function open(url: string, connectTimeout: number) {
  return createClient({
    url,
    socket: { connectTimeout, reconnectStrategy: (retries) => Math.min(50 * 2 ** retries, 1000) },
  });
}
