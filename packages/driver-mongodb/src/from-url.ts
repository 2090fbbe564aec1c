import { setTimeout } from "node:timers/promises";
import type { ClosableDriver, Duration, ListingDriver, ProvisionedDriver } from "@sessions/core";
import { checkOptions, closing, openByUrl, readTimeout } from "@sessions/core/driver-tools";
import { createConnection } from "./connection.ts";
import { checkName, createDriver } from "./driver.ts";

/** Options of `fromUrl`. */
export interface MongodbUrlOptions {
  /** The name of the collection, in the database that the URL names. @default "sessions" */
  readonly collection?: string | undefined;
  /**
   * The time that a call may take before it rejects with `DriverUnavailableError`.
   * More than 24 days counts as 24.
   * @default "2s"
   */
  readonly timeout?: Duration | undefined;
}

/**
 * Opens a client for a URL, and returns a driver on it, whose `close()` closes the client. It does not wait for the
 * server: until the server can be reached, calls reject with `DriverUnavailableError`. {@link mongodbDriver} takes a
 * client of your own.
 *
 * @param url `mongodb://user:password@host:27017/database`, or `mongodb+srv://`.
 * @throws SessionConfigError for another kind of URL, which is not shown, and for bad options.
 * @example
 * import { createSessionManager } from "@sessions/core";
 * import { fromUrl } from "@sessions/driver-mongodb";
 *
 * const driver = await fromUrl("mongodb://localhost:27017/app", { collection: "sessions" });
 * const sessions = createSessionManager({ driver });
 */
export async function fromUrl(
  url: string,
  options: MongodbUrlOptions = {},
): Promise<ListingDriver & ProvisionedDriver & ClosableDriver> {
  // Before the client is opened, which nothing would close after an error.
  checkOptions("mongodbDriver fromUrl", options, ["collection", "timeout"]);
  const { collection = "sessions", timeout: limit = "2s" } = options;
  checkName(collection);
  const timeout = readTimeout(limit);
  // Imported here, so that an application with a client of its own does not need the package.
  const { MongoClient } = await import("mongodb");
  const client = openByUrl("mongodb://user:password@host:27017/database, or mongodb+srv://", () => {
    if (typeof url !== "string") throw new TypeError("No text");
    return new MongoClient(url);
  });
  // The driver's calls report failures.
  client.on("error", () => {});
  // A client whose first connection failed never tries again by itself, and would not survive a start before the
  // server's. Calls wait for the connection, because one that is made meanwhile would fail with it.
  const ending = new AbortController();
  async function connect(): Promise<void> {
    while (!ending.signal.aborted) {
      try {
        await client.connect();
        // close() was called while the client connected.
        if (ending.signal.aborted) await client.close();
        return;
      } catch {
        await setTimeout(PAUSE_MS, undefined, { signal: ending.signal }).catch(() => {});
      }
    }
  }
  const connected = connect();
  const find = async () => {
    await connected;
    return client.db().collection(collection);
  };
  const driver = createDriver(createConnection(collection, find, timeout));
  return closing(driver, async () => {
    ending.abort();
    await client.close();
    await connected;
  });
}

/** The pause between two tries to connect, so that a server that refuses the password is not asked all the time. */
const PAUSE_MS = 500;
