import { isSessionError, SessionConfigError } from "../base/errors.ts";
import type { ClosableDriver, Driver } from "./contract.ts";

/**
 * What a driver's package exports as `fromUrl`, for `driverFromUrl`. It opens a client for the URL and returns a driver
 * whose `close()` closes that client. It does not wait for the backend. If the URL is wrong, it throws a
 * `SessionConfigError` that does not show the URL.
 *
 * @typeParam O The driver's options, without `client`. `driverFromUrl` gives none, so each has a default.
 * @example
 * import { closing, type FromUrl, openByUrl, readUrl } from "@sessions/core/driver-tools";
 * import type { Driver } from "@sessions/core";
 *
 * declare const acmeDriver: (options: { client: object; timeout?: number }) => Driver;
 * declare const connect: (host: string) => { end(): Promise<void> };
 *
 * export const fromUrl: FromUrl<{ timeout?: number }> = async (url, options = {}) => {
 *   const rules = { where: "acmeDriver fromUrl", schemes: ["acme"], options: ["timeout"] };
 *   const { hostname } = openByUrl("acme://host", () => readUrl(url, rules));
 *   const client = connect(hostname);
 *   return closing(acmeDriver({ ...options, client }), () => client.end());
 * };
 */
export type FromUrl<O extends object = object> = (url: string, options?: O) => Driver | Promise<Driver>;

/** The URLs that a driver's `fromUrl` takes. */
export interface UrlRules {
  /** The beginning of a message about an option: `"mysqlDriver fromUrl"`. */
  readonly where: string;
  /** The allowed schemes, in lower case. */
  readonly schemes: readonly string[];
  /**
   * The driver's own options. A URL must not have them as parameters, because the client would silently ignore them.
   */
  readonly options: readonly string[];
}

/**
 * Reads a URL with a host. Call it inside {@link openByUrl}, which turns a `TypeError` into a message with an example.
 *
 * @throws SessionConfigError Names a driver's option that the URL has as a parameter.
 * @throws TypeError The text is not a URL with one of the schemes.
 */
export function readUrl(url: string, { where, schemes, options }: UrlRules): URL {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(url)?.[1]?.toLowerCase();
  if (scheme === undefined || !schemes.includes(scheme)) throw new TypeError("Another scheme");
  const read = new URL(url);
  const misplaced = options.find((option) => read.searchParams.has(option));
  if (misplaced !== undefined)
    throw new SessionConfigError(
      `${where}: "${misplaced}" is an option, not a parameter of the URL. Use fromUrl(url, { ${misplaced} })`,
    );
  return read;
}

/**
 * Opens a client for a URL. If that fails, the error only says what the URL must be like, because a client's own error
 * may show the password. Errors of this library pass, because they hold no secret.
 *
 * @param example A URL of the right form, for the message.
 * @throws SessionConfigError
 * @example
 * const url = "example://user:password@host/database";
 * const options = openByUrl("example://user:password@host/database", () => {
 *   const { hostname } = readUrl(url, { where: "exampleDriver fromUrl", schemes: ["example"], options: ["table"] });
 *   return { hostname }; // or a client
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
 * Adds `close()` to a driver that opened its own client. It closes the client once, even if it is called again.
 *
 * @example
 * import type { Driver } from "@sessions/core";
 * import { closing } from "@sessions/core/driver-tools";
 *
 * declare const driver: Driver;
 * declare const pool: { end(): Promise<void> };
 *
 * export const closable = closing(driver, () => pool.end());
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
