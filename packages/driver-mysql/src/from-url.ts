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

const OPTIONS = ["table", "timeout"] as const;

const noUrl = (): SessionConfigError =>
  new SessionConfigError("The URL must be like mysql://user:password@host:3306/database, or mariadb://");

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
  checkOptions("mysqlDriver fromUrl", options, OPTIONS);
  const connectTimeout = milliseconds("timeout", options.timeout ?? "2s");
  if (!/^(mysql|mariadb):\/\/./i.test(url) || !URL.canParse(url)) throw noUrl();
  const { hostname, pathname, searchParams } = new URL(url);
  if (hostname === "" || pathname.length < 2) throw noUrl();
  // The client would take them for its own, and ignore them.
  const misplaced = OPTIONS.find((option) => searchParams.has(option));
  if (misplaced !== undefined)
    throw new SessionConfigError(
      `mysqlDriver fromUrl: "${misplaced}" is an option, and no parameter of the URL: fromUrl(url, { ${misplaced} })`,
    );
  const { createPool } = await import("mysql2/promise");
  let client: ReturnType<typeof createPool>;
  try {
    client = createPool({ uri: url, connectTimeout });
  } catch {
    // The client's error may show the password.
    throw noUrl();
  }
  return { ...mysqlDriver({ ...options, client }), close: () => client.end() };
}
