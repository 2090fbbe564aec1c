import { setTimeout } from "node:timers/promises";
import type { ClosableDriver, Duration, ListingDriver, ProvisionedDriver } from "@sessions/core";
import { checkOptions, closing, milliseconds, openByUrl } from "@sessions/core/driver-tools";
import { createDriver } from "./driver.ts";
import { checkName, readOptions } from "./options.ts";

/** Options of `fromUrl`. */
export interface MongodbUrlOptions {
  /** The name of the collection, in the database that the URL names. @default "sessions" */
  readonly collection?: string | undefined;
  /** How long a call may take before it is `DriverUnavailableError`. @default "2s" */
  readonly timeout?: Duration | undefined;
}

/**
 * Opens a client of its own for a URL, and keeps sessions there. It does not wait for the server: until that can be
 * reached, calls reject with `DriverUnavailableError`. `close()` closes the client.
 *
 * @param url `mongodb://user:password@host:27017/database`, or `mongodb+srv://`.
 * @throws SessionConfigError for a URL that is none of MongoDB's, which is not shown, and for options as in `mongodbDriver`.
 */
export async function fromUrl(
  url: string,
  options: MongodbUrlOptions = {},
): Promise<ListingDriver & ProvisionedDriver & ClosableDriver> {
  // Before the client is opened: nothing would close it.
  checkOptions("mongodbDriver fromUrl", options, ["collection", "timeout"]);
  const { collection = "sessions", timeout: limit = "2s" } = options;
  checkName(collection);
  const timeout = milliseconds("timeout", limit);
  // Here alone: who gives the driver a client need not have this one.
  const { MongoClient } = await import("mongodb");
  const client = openByUrl("mongodb://user:password@host:27017/database, or mongodb+srv://", () => {
    if (typeof url !== "string") throw new TypeError("No text");
    return new MongoClient(url);
  });
  // What is wrong is told by the calls.
  client.on("error", () => {});
  // A client whose first connection failed never tries another by itself, and so does not survive a start before its
  // server's. Nor does a call that is made while it connects: that failure would end it, too.
  const ending = new AbortController();
  async function connect(): Promise<void> {
    while (!ending.signal.aborted) {
      try {
        await client.connect();
        // Closed while it connected, it would be open now.
        if (ending.signal.aborted) await client.close();
        return;
      } catch {
        await setTimeout(PAUSE_MS, undefined, { signal: ending.signal }).catch(() => {});
      }
    }
  }
  const connected = connect();
  const driver = createDriver(readOptions({ client, collection, timeout }), connected);
  return closing(driver, async () => {
    ending.abort();
    await client.close();
    await connected;
  });
}

/** Between two tries to connect: a server that refuses the password is not asked without end. */
const PAUSE_MS = 500;
