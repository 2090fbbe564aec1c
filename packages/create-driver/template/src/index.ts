import type { Duration, ListingDriver } from "@sessions/core";
import {
  checkClient,
  checkOption,
  checkOptions,
  createCall,
  milliseconds,
} from "@sessions/core/driver-tools";
import { notWritten } from "./not-written.ts";

export { fromUrl } from "./from-url.ts";

/** The methods of the client that the driver calls. List them here, with types that the real client fits. */
export type __Pascal__ClientLike = object;

/** Options of `__camel__Driver`. */
export interface __Pascal__DriverOptions {
  /** A client of __title__. You open it and close it. */
  readonly client: __Pascal__ClientLike;
  /**
   * The start of all keys. Drivers with different prefixes share nothing (R14). 1 to 64 of `A-Z a-z 0-9 _ - :`.
   * @default "sessions:"
   */
  readonly prefix?: string | undefined;
  /**
   * How long a call may take. After that it is `DriverUnavailableError`.
   * @default "2s"
   */
  readonly timeout?: Duration | undefined;
}

/**
 * Keeps sessions in __title__.
 *
 * @throws SessionConfigError if an option is unknown or out of range. The message names it.
 */
export function __camel__Driver(options: __Pascal__DriverOptions): ListingDriver {
  checkOptions("__camel__Driver", options, ["client", "prefix", "timeout"]);
  const { client, prefix = "sessions:", timeout = "2s" } = options;
  // Replace toString() by the methods that the driver calls, such as "get() set()".
  checkClient(client, "a client of __title__", ["toString()"]);
  checkOption(
    typeof prefix === "string" && /^[\w:-]{1,64}$/.test(prefix),
    "prefix",
    "1 to 64 of A-Z a-z 0-9 _ - :",
    prefix,
  );

  // `call(() => client.something(…))` ends within `timeout`. It turns an error of the client into DriverUnavailableError
  // (R11), unless `translate` returns another one: SessionTooLargeError (R9.8), or SessionSetupError (R12).
  const call = createCall({
    driver: "__backend__",
    timeout: milliseconds("timeout", timeout),
    translate: () => undefined,
  });

  return {
    name: "__backend__",

    // Do this in one atomic step of the backend. To look first and write then loses a race.
    async create(id, record, now) {
      throw notWritten(
        "create",
        "store the record with version 1, or return false and change nothing if a live record has that id",
        "R1",
      );
    },

    async load(id) {
      throw notWritten("load", "return the whole record as it is stored, or undefined", "R2");
    },

    // In one atomic step too. A record is live if `expiresAt > now`. Let the statement decide that, by the caller's `now`.
    async commit(id, change, now) {
      throw notWritten(
        "commit",
        'merge the change into a live record, all of it or nothing, or return "gone" or "conflict"',
        "R3 to R6",
      );
    },

    async destroy(id, now) {
      throw notWritten("destroy", "remove a live record, and return true once, then false", "R7");
    },

    async sweep({ after, before, limit }) {
      throw notWritten(
        "sweep",
        "remove records with after <= expiresAt < before, at most limit of them, and return how many",
        "R8",
      );
    },

    // Without it, no user can be logged out everywhere. If the backend cannot list, remove it and return a `Driver`.
    async list({ principal, cursor, limit }, now) {
      throw notWritten("list", "return a page of all live records, or of one principal's", "R13");
    },

    // If the backend needs tables, indexes or folders, add `...createProvisioning(),` of ./provisioning.ts. The driver is
    // then a `ListingDriver & ProvisionedDriver`. Otherwise delete that file.
  };
}
