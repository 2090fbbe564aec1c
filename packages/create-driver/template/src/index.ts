import type { Duration, ListingDriver } from "@sessions/core";
import {
  checkClient,
  checkOption,
  checkOptions,
  createCall,
  milliseconds,
} from "@sessions/core/driver-tools";
import { notWritten } from "./not-written.ts";

/** The few methods of the client that the driver calls: name them here, typed so that the real client fits. */
export type __Pascal__ClientLike = object;

/** Options of `__camel__Driver`. */
export interface __Pascal__DriverOptions {
  /** A client of __backend__, opened by you and closed by you. */
  readonly client: __Pascal__ClientLike;
  /**
   * What the keys of all records begin with: drivers with different prefixes share nothing (R14). 1 to 64 of
   * `A-Z a-z 0-9 _ - :`.
   * @default "sessions:"
   */
  readonly prefix?: string | undefined;
  /**
   * How long a call may take, before it is `DriverUnavailableError`.
   * @default "2s"
   */
  readonly timeout?: Duration | undefined;
}

/**
 * Keeps sessions in __backend__.
 *
 * @throws SessionConfigError naming an option that is unknown or out of range.
 */
export function __camel__Driver(options: __Pascal__DriverOptions): ListingDriver {
  checkOptions("__camel__Driver", options, ["client", "prefix", "timeout"]);
  const { client, prefix = "sessions:", timeout = "2s" } = options;
  // In place of toString() the methods that the driver calls: "get() set()".
  checkClient(client, "a client of __backend__", ["toString()"]);
  checkOption(
    typeof prefix === "string" && /^[\w:-]{1,64}$/.test(prefix),
    "prefix",
    "1 to 64 of A-Z a-z 0-9 _ - :",
    prefix,
  );

  // `call(() => client.something(…))` ends within `timeout`, and what the client rejects with is DriverUnavailableError
  // (R11), unless `translate` answers another error: SessionTooLargeError (R9.8), or SessionSetupError (R12).
  const call = createCall({
    driver: "__backend__",
    timeout: milliseconds("timeout", timeout),
    translate: () => undefined,
  });

  return {
    name: "__backend__",

    // In one atomic step of the backend: who looks first and writes then loses a race.
    async create(id, record, now) {
      throw notWritten(
        "create",
        "store the record with version 1, or answer false and change nothing where a live one has that id",
        "R1",
      );
    },

    async load(id) {
      throw notWritten("load", "answer the whole record as it is stored, or undefined", "R2");
    },

    // In one atomic step too. Live is `expiresAt > now`, and the statement itself decides that, by the caller's `now`.
    async commit(id, change, now) {
      throw notWritten(
        "commit",
        'merge the change into a live record, all of it or nothing, or answer "gone" or "conflict"',
        "R3 to R6",
      );
    },

    async destroy(id, now) {
      throw notWritten("destroy", "remove a live record, and answer true once, then false", "R7");
    },

    async sweep({ after, before, limit }) {
      throw notWritten(
        "sweep",
        "remove records with after <= expiresAt < before, at most limit of them, and answer how many",
        "R8",
      );
    },

    // Without it nobody can be logged out everywhere. A backend that cannot list leaves it out, and returns a `Driver`.
    async list({ principal, cursor, limit }, now) {
      throw notWritten("list", "page through every live record, or those of one principal", "R13");
    },

    // A backend that needs tables, indexes or folders: `...createProvisioning(),` of ./provisioning.ts, and the driver is
    // a `ListingDriver & ProvisionedDriver`. Any other does without that file.
  };
}
