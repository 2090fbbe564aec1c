import type { ClosableDriver, ListingDriver, ProvisionedDriver } from "@sessions/core";
import { checkOptions, closing, milliseconds, openByUrl, readUrl } from "@sessions/core/driver-tools";
import { type MysqlDriverOptions, mysqlDriver } from "./driver.ts";

/** Options of {@link fromUrl}: those of `mysqlDriver`, except `client`. */
export type MysqlUrlOptions = Omit<MysqlDriverOptions, "client">;

const OPTIONS = ["table", "timeout"] as const;

const FROM_URL = "mysqlDriver fromUrl";

/**
 * Opens a pool for `mysql://user:password@host:3306/database` (or `mariadb:`), and makes a driver on it. The driver's
 * `close()` closes the pool. Options of `mysql2` go behind a `?`, such as `?connectionLimit=20`. The function does not
 * wait for the server: until the server is there, calls reject with `DriverUnavailableError`.
 *
 * @throws SessionConfigError for a malformed URL, which it does not show, and for bad options.
 * @example
 * import { createSessionManager } from "@sessions/core";
 * import { fromUrl } from "@sessions/driver-mysql";
 *
 * const driver = await fromUrl("mysql://user:password@127.0.0.1:3306/app?connectionLimit=20", { timeout: "1s" });
 * const sessions = createSessionManager({ driver });
 */
export async function fromUrl(
  url: string,
  options: MysqlUrlOptions = {},
): Promise<ListingDriver & ProvisionedDriver & ClosableDriver> {
  checkOptions(FROM_URL, options, OPTIONS);
  const connectTimeout = milliseconds("timeout", options.timeout ?? "2s");
  const schemes = ["mysql", "mariadb"];
  const { createPool } = await import("mysql2/promise");
  const client = openByUrl("mysql://user:password@host:3306/database, or mariadb://", () => {
    const { hostname, pathname } = readUrl(url, { where: FROM_URL, schemes, options: OPTIONS });
    if (hostname === "" || pathname.length < 2) throw new TypeError("No host, or no database");
    return createPool({ uri: url, connectTimeout });
  });
  return closing(mysqlDriver({ ...options, client }), () => client.end());
}
