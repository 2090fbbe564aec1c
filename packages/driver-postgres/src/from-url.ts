import {
  type ClosableDriver,
  type ListingDriver,
  type ProvisionedDriver,
  SessionConfigError,
} from "@sessions/core";
import { checkOptions, milliseconds } from "@sessions/core/driver-tools";
import { type PostgresDriverOptions, postgresDriver } from "./driver.ts";

/** Options of `fromUrl`: those of `postgresDriver`, but the client. */
export type PostgresUrlOptions = Omit<PostgresDriverOptions, "client">;

const OPTIONS = ["table", "timeout", "unlogged"] as const;

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
  checkOptions("postgresDriver fromUrl", options, OPTIONS);
  const timeout = milliseconds("timeout", options.timeout ?? "2s");
  if (!/^postgres(ql)?:\/\//i.test(url) || !URL.canParse(url))
    throw new SessionConfigError("The URL must be like postgres://user:password@host:5432/database");
  // The client would take them for its own, and ignore them.
  const misplaced = OPTIONS.find((option) => new URL(url).searchParams.has(option));
  if (misplaced !== undefined)
    throw new SessionConfigError(
      `postgresDriver fromUrl: "${misplaced}" is an option, and no parameter of the URL: fromUrl(url, { ${misplaced} })`,
    );
  // Here, so that who brings a client of their own need not have this one.
  const { default: pg } = await import("pg");
  const pool = new pg.Pool({ connectionString: url, connectionTimeoutMillis: timeout });
  // A connection that breaks while nobody uses it is replaced; without a listener it would end the process.
  pool.on("error", () => {});
  let closed: Promise<void> | undefined;
  return {
    ...postgresDriver({ ...options, client: pool }),
    close() {
      closed ??= pool.end();
      return closed;
    },
  };
}
