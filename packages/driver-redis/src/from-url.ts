import { setTimeout } from "node:timers/promises";
import {
  type ClosableDriver,
  type ListingDriver,
  type ProvisionedDriver,
  SessionConfigError,
} from "@sessions/core";
import { checkOptions, milliseconds } from "@sessions/core/driver-tools";
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
  checkOptions("redisDriver fromUrl", options, ["prefix", "timeout", "waitReplicas"]);
  const connectTimeout = milliseconds("timeout", options.timeout ?? "2s");
  // Here, so that who brings a client of their own need not have this one.
  const { createClient } = await import("redis");
  const open = () =>
    createClient({
      url,
      socket: { connectTimeout, reconnectStrategy: (retries) => Math.min(50 * 2 ** retries, 1000) },
    });
  let client: ReturnType<typeof open>;
  try {
    // Of an empty one the client makes its default.
    if (!/^rediss?:\/\//i.test(url)) throw new TypeError("no URL of Redis");
    client = open();
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
      // What is under way may end; but a client that is not connected, or whose server is silent, would wait for ever.
      if (client.isReady)
        await Promise.race([client.close(), setTimeout(connectTimeout, undefined, { ref: false })]);
      if (client.isOpen) client.destroy();
    },
  };
}
