import type { ClosableDriver, ListingDriver, ProvisionedDriver } from "@sessions/core";
import { checkOptions, closing, milliseconds, openByUrl, readUrl } from "@sessions/core/driver-tools";
import { type MysqlDriverOptions, mysqlDriver } from "./driver.ts";

/** Options of `fromUrl`: those of `mysqlDriver`, but the client. */
export type MysqlUrlOptions = Omit<MysqlDriverOptions, "client">;

const OPTIONS = ["table", "timeout"] as const;

const FROM_URL = "mysqlDriver fromUrl";

/**
 * Opens a pool for `mysql://user:password@host:3306/database` (or `mariadb:`) and a driver on it, whose `close()` closes
 * the pool. What stands behind a `?` are options of `mysql2`, such as `connectionLimit=20`. It does not wait for the server:
 * until that is there, calls are `DriverUnavailableError`.
 *
 * @throws SessionConfigError for a URL that is none, without showing it, and for bad options.
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
