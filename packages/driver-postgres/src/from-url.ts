import type { ClosableDriver, ListingDriver, ProvisionedDriver } from "@sessions/core";
import { checkOptions, closing, openByUrl, readTimeout, readUrl } from "@sessions/core/driver-tools";
import { type PostgresDriverOptions, postgresDriver } from "./driver.ts";

/** Options of {@link fromUrl}: those of `postgresDriver`, except `client`. */
export type PostgresUrlOptions = Omit<PostgresDriverOptions, "client">;

const OPTIONS = ["table", "timeout", "unlogged"] as const;
const FROM_URL = "postgresDriver fromUrl";

/**
 * Opens a pool for `postgres://user:password@host:port/database` (or `postgresql:`), and makes a driver on it. The
 * driver's `close()` closes the pool. Parameters of `pg` go behind a `?`, such as `?sslmode=verify-full`. The function
 * does not wait for the server: until the server is there, calls reject with `DriverUnavailableError`.
 *
 * @throws SessionConfigError for a malformed URL, which it does not show, and for bad options.
 * @example
 * import { createSessionManager } from "@sessions/core";
 * import { fromUrl } from "@sessions/driver-postgres";
 *
 * const driver = await fromUrl("postgres://user:password@127.0.0.1:5432/app", { table: "app.sessions" });
 * const sessions = createSessionManager({ driver });
 */
export async function fromUrl(
  url: string,
  options: PostgresUrlOptions = {},
): Promise<ListingDriver & ProvisionedDriver & ClosableDriver> {
  checkOptions(FROM_URL, options, OPTIONS);
  const timeout = readTimeout(options.timeout ?? "2s");
  const schemes = ["postgres", "postgresql"];
  // Imported here, because an application that gives the driver its own client may not have this package.
  const { default: pg } = await import("pg");
  const pool = openByUrl("postgres://user:password@host:5432/database", () => {
    readUrl(url, { where: FROM_URL, schemes, options: OPTIONS });
    return new pg.Pool({ connectionString: url, connectionTimeoutMillis: timeout });
  });
  // The pool replaces a broken idle connection. Without a listener, the error would end the process.
  pool.on("error", () => {});
  return closing(postgresDriver({ ...options, client: pool }), () => pool.end());
}
