import type { ClosableDriver, ListingDriver, ProvisionedDriver } from "@sessions/core";
import { checkOptions, closing, milliseconds, openByUrl, readUrl } from "@sessions/core/driver-tools";
import { type PostgresDriverOptions, postgresDriver } from "./driver.ts";

/** Options of `fromUrl`: those of `postgresDriver`, but the client. */
export type PostgresUrlOptions = Omit<PostgresDriverOptions, "client">;

const OPTIONS = ["table", "timeout", "unlogged"] as const;
const FROM_URL = "postgresDriver fromUrl";

/**
 * Opens a pool for `postgres://user:password@host:port/database` (`postgresql:` too, and what `pg` takes behind the
 * `?`, such as `sslmode=verify-full`) and a driver on it, whose `close()` closes the pool. It does not wait for the
 * server: until that is there, calls are `DriverUnavailableError`.
 *
 * @throws SessionConfigError for a URL that is none, without showing it, and for bad options.
 */
export async function fromUrl(
  url: string,
  options: PostgresUrlOptions = {},
): Promise<ListingDriver & ProvisionedDriver & ClosableDriver> {
  checkOptions(FROM_URL, options, OPTIONS);
  const timeout = milliseconds("timeout", options.timeout ?? "2s");
  const schemes = ["postgres", "postgresql"];
  // Here, so that an application with a client of its own need not have this one.
  const { default: pg } = await import("pg");
  const pool = openByUrl("postgres://user:password@host:5432/database", () => {
    readUrl(url, { where: FROM_URL, schemes, options: OPTIONS });
    return new pg.Pool({ connectionString: url, connectionTimeoutMillis: timeout });
  });
  // An idle connection that breaks is replaced; without a listener it would end the process.
  pool.on("error", () => {});
  return closing(postgresDriver({ ...options, client: pool }), () => pool.end());
}
