import { closing, type FromUrl, openByUrl, readUrl } from "@sessions/core/driver-tools";
import { MemcacheClient } from "memcache-client";
import { type MemcachedDriverOptions, memcachedDriver } from "./index.ts";

/**
 * Opens a client for `memcached://host:port`, and returns a driver on it, whose `close()` closes the client.
 *
 * @throws SessionConfigError for another kind of URL, which is not shown.
 */
export const fromUrl: FromUrl<Omit<MemcachedDriverOptions, "client">> = (url, options = {}) => {
  const rules = { where: "memcachedDriver fromUrl", schemes: ["memcached"], options: ["prefix", "timeout"] };
  const client = openByUrl("memcached://host:port", () => {
    const { hostname, port, username } = readUrl(url, rules);
    if (hostname === "" || username !== "") throw new TypeError("Another URL");
    return new MemcacheClient({ server: `${hostname}:${port || 11211}` });
  });
  return closing(memcachedDriver({ ...options, client }), async () => client.shutdown());
};
