import { setTimeout } from "node:timers/promises";
import type { ClosableDriver, ListingDriver, ProvisionedDriver } from "@sessions/core";
import { checkOptions, closing, milliseconds, openByUrl, readUrl } from "@sessions/core/driver-tools";
import { type RedisDriverOptions, redisDriver } from "./driver.ts";

/** Options of `fromUrl`: those of `redisDriver`, except `client`. */
export type RedisUrlOptions = Omit<RedisDriverOptions, "client">;

const OPTIONS = ["prefix", "timeout", "waitReplicas"] as const;
const FROM_URL = "redisDriver fromUrl";

/**
 * Opens a client for `redis://[[user]:password@]host[:port][/database]` (`rediss:` for TLS) and returns a driver on it,
 * whose `close()` closes the client. It does not wait for the server: until the server can be reached, calls reject
 * with `DriverUnavailableError`. A cluster and Sentinel need more than a URL: make their client yourself, and give it
 * to {@link redisDriver}.
 *
 * @throws SessionConfigError for another kind of URL, which is not shown, and for bad options.
 * @example
 * import { createSessionManager } from "@sessions/core";
 * import { fromUrl } from "@sessions/driver-redis";
 *
 * const driver = await fromUrl("redis://localhost:6379/0", { timeout: "1s" });
 * const sessions = createSessionManager({ driver });
 */
export async function fromUrl(
  url: string,
  options: RedisUrlOptions = {},
): Promise<ListingDriver & ProvisionedDriver & ClosableDriver> {
  checkOptions(FROM_URL, options, OPTIONS);
  const connectTimeout = milliseconds("timeout", options.timeout ?? "2s");
  // Imported here, so that an application with a client of its own does not need the package.
  const { createClient } = await import("redis");
  const client = openByUrl("redis://user:password@host:6379/0, or rediss:// for TLS", () => {
    // Before createClient, which connects to localhost where the URL is empty.
    readUrl(url, { where: FROM_URL, schemes: ["redis", "rediss"], options: OPTIONS });
    return createClient({
      url,
      socket: { connectTimeout, reconnectStrategy: (retries) => Math.min(50 * 2 ** retries, 1000) },
    });
  });
  const driver = redisDriver({ ...options, client });
  // The driver's calls report failures; without a listener, an outage would end the process.
  client.on("error", () => {});
  client.connect().catch(() => {});
  return closing(driver, async () => {
    // Calls under way may end. A client that is not connected, or whose server is silent, would make close() wait for
    // ever.
    if (client.isReady)
      await Promise.race([client.close(), setTimeout(connectTimeout, undefined, { ref: false })]);
    if (client.isOpen) client.destroy();
  });
}
