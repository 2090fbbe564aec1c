import { isSessionError, SessionConfigError } from "../base/errors.ts";
import type { ClosableDriver, Driver } from "./contract.ts";

/** The URLs that a driver's `fromUrl` takes. */
export interface UrlRules {
  /** Begins a message about an option: `"mysqlDriver fromUrl"`. */
  readonly where: string;
  /** The schemes, in lower case, without `://`. */
  readonly schemes: readonly string[];
  /** The driver's own options. They are refused as parameters of the URL, because the client would ignore them. */
  readonly options: readonly string[];
}

/**
 * Reads a URL with a host. Call it inside {@link openByUrl}, which turns the `TypeError` into an error for users.
 *
 * @throws SessionConfigError that names an option of the driver among the URL's parameters.
 * @throws TypeError if the text is no URL with one of the schemes.
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
 * Opens a client for a URL. An error of the client may show the password, so any error becomes one that shows only an
 * example of a URL, without a cause. Errors of this library pass, because they hold no secret.
 *
 * @param example A correct URL, for the message.
 * @throws SessionConfigError if `open` throws.
 * @example
 * declare function openPool(url: string): { end(): Promise<void> };
 * const url = "postgres://user:password@127.0.0.1:5432/app";
 * const pool = openByUrl("postgres://user:password@host:5432/database", () => {
 *   readUrl(url, { where: "postgresDriver fromUrl", schemes: ["postgres"], options: ["table"] });
 *   return openPool(url);
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
 * Adds `close()` to a driver. However often it is called, it closes the client once.
 *
 * @example
 * import type { Driver } from "@sessions/core";
 * import { closing } from "@sessions/core/driver-tools";
 *
 * declare const driver: Driver;
 * declare const pool: { end(): Promise<void> };
 * const closable = closing(driver, () => pool.end());
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
