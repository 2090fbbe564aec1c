import {
  type ClosableDriver,
  type ListingDriver,
  type ProvisionedDriver,
  SessionConfigError,
} from "@sessions/core";
import { checkOptions, milliseconds } from "@sessions/core/driver-tools";
import { type MysqlDriverOptions, mysqlDriver } from "./driver.ts";

/** Options of `fromUrl`: those of `mysqlDriver`, but the client. */
export type MysqlUrlOptions = Omit<MysqlDriverOptions, "client">;

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
  checkOptions("mysqlDriver fromUrl", options, ["table", "timeout"]);
  const connectTimeout = milliseconds("timeout", options.timeout ?? "2s");
  const { createPool } = await import("mysql2/promise");
  let client: ReturnType<typeof createPool>;
  try {
    const { hostname, pathname } = new URL(url);
    if (!/^(mysql|mariadb):\/\//i.test(url) || hostname === "" || pathname.length < 2)
      throw new SessionConfigError("no MySQL");
    client = createPool({ uri: url, connectTimeout });
  } catch {
    // The error, its cause included, may show the password.
    throw new SessionConfigError(
      "The URL must be like mysql://user:password@host:3306/database, or mariadb://",
    );
  }
  return { ...mysqlDriver({ ...options, client }), close: () => client.end() };
}
