import { isSessionError, SessionConfigError } from "../base/errors.ts";
import type { ClosableDriver, Driver } from "./contract.ts";

/** What a driver's `fromUrl` takes. */
export interface UrlRules {
  /** Begins a message about an option: `"mysqlDriver fromUrl"`. */
  readonly where: string;
  /** What stands before `://`, in lower case. */
  readonly schemes: readonly string[];
  /** The driver's own options, which are no parameters of the URL: a client would take them for its own, and ignore them. */
  readonly options: readonly string[];
}

/**
 * Reads a URL with a host, within `openByUrl`, which says what it must be like.
 *
 * @throws SessionConfigError naming a driver's option that stands behind the URL's `?`.
 * @throws TypeError where it is no such URL.
 */
export function readUrl(url: string, { where, schemes, options }: UrlRules): URL {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(url)?.[1]?.toLowerCase();
  if (scheme === undefined || !schemes.includes(scheme)) throw new TypeError("Another scheme");
  const read = new URL(url);
  const misplaced = options.find((option) => read.searchParams.has(option));
  if (misplaced !== undefined)
    throw new SessionConfigError(
      `${where}: "${misplaced}" is an option, and no parameter of the URL: fromUrl(url, { ${misplaced} })`,
    );
  return read;
}

/**
 * Opens a client for a URL. What goes wrong meanwhile says what the URL must be like, and nothing else: a client's own
 * error, its cause included, may show the password. Only errors of this library's pass, which hold no secret.
 *
 * @param example What the URL must be like, for the message.
 * @throws SessionConfigError
 * @example
 * const pool = openByUrl("postgres://user:password@host:5432/database", () => {
 *   readUrl(url, { where: "postgresDriver fromUrl", schemes: ["postgres"], options: ["table"] });
 *   return new pg.Pool({ connectionString: url });
 * });
 */
export function openByUrl<T>(example: string, open: () => T): T {
  try {
    return open();
  } catch (error) {
    if (isSessionError(error)) throw error;
    throw new SessionConfigError(`The URL must be like ${example}`);
  }
}

/**
 * A driver that closes what it opened itself: once, however often it is asked.
 *
 * @example
 * return closing(postgresDriver({ ...options, client: pool }), () => pool.end());
 */
export function closing<D extends Driver>(driver: D, close: () => Promise<void>): D & ClosableDriver {
  let closed: Promise<void> | undefined;
  return {
    ...driver,
    close() {
      closed ??= close();
      return closed;
    },
  };
}
