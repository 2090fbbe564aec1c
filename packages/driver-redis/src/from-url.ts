import type { ClosableDriver, ListingDriver, ProvisionedDriver } from "@sessions/core";
import { checkOptions, closing, openByUrl, readTimeout, readUrl } from "@sessions/core/driver-tools";
import { type RedisDriverOptions, redisDriver } from "./driver.ts";
import { loadClients } from "./open-client.ts";

/** Options of `fromUrl`: those of `redisDriver`, except `client`. */
export type RedisUrlOptions = Omit<RedisDriverOptions, "client">;

const OPTIONS = ["prefix", "timeout", "waitReplicas"] as const;
const FROM_URL = "redisDriver fromUrl";

/**
 * Opens a client for `redis://[[user]:password@]host[:port][/database]` (`rediss:` for TLS) and returns a driver on it,
 * whose `close()` closes the client. The client is one of `redis`, or of `ioredis` or `iovalkey` where `redis` is not
 * installed. It does not wait for the server: until the server can be reached, calls reject with
 * `DriverUnavailableError`. A cluster and Sentinel need more than a URL: make their client yourself, and give it to
 * {@link redisDriver}.
 *
 * @throws SessionConfigError for another kind of URL, which is not shown, for bad options, and where none of the packages
 *   is installed.
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
  const connectTimeout = readTimeout(options.timeout ?? "2s");
  const target = openByUrl("redis://user:password@host:6379/0, or rediss:// for TLS", () => {
    const read = readUrl(url, { where: FROM_URL, schemes: ["redis", "rediss"], options: OPTIONS });
    const { protocol, hostname, port, username, password, pathname } = read;
    const database = /^\/?(\d*)$/.exec(pathname)?.[1];
    if (database === undefined) throw new TypeError("No database");
    return {
      host: hostname.replace(/^\[|\]$/g, "") || "localhost",
      port: Number(port || 6379),
      database: Number(database),
      tls: protocol === "rediss:",
      ...(username !== "" && { username: decodeURIComponent(username) }),
      ...(password !== "" && { password: decodeURIComponent(password) }),
    };
  });
  const open = await loadClients();
  const { client, close } = open(target, connectTimeout);
  return closing(redisDriver({ ...options, client }), close);
}
