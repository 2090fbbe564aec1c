import { isListingDriver, isProvisionedDriver } from "./abilities.ts";
import type { Driver, ListQuery } from "./driver.ts";
import { isSessionError, SessionSetupError } from "./errors.ts";

/**
 * A driver that makes what its backend lacks: the first call that finds something missing waits for `setup()`, and is
 * repeated. Once a call has succeeded nothing is made any more: what is missing later was lost, and to make it anew
 * would hide that.
 *
 * @returns The driver itself, where it has nothing to set up.
 */
export function selfProvisioning(driver: Driver): Driver {
  if (!isProvisionedDriver(driver)) return driver;
  const setup = (): Promise<void> => driver.setup();
  const listing = isListingDriver(driver) ? driver : undefined;
  let isThere = false;
  let made: Promise<void> | undefined;

  async function attempt<T>(call: () => Promise<T>): Promise<T> {
    if (isThere) return call();
    let result: T;
    try {
      result = await call();
    } catch (error) {
      if (isThere || !isSessionError(error, "ERR_SESSION_SETUP")) throw error;
      made ??= setup();
      try {
        await made;
      } catch (cause) {
        // An outage ends; a missing permission stays, and asking again costs every request.
        if (isSessionError(cause, "ERR_SESSION_UNAVAILABLE")) made = undefined;
        throw new SessionSetupError(error.message, { cause });
      }
      result = await call();
    }
    isThere = true;
    return result;
  }

  return {
    name: driver.name,
    maxRecordBytes: driver.maxRecordBytes,
    create: (id, record, now) => attempt(() => driver.create(id, record, now)),
    load: (id) => attempt(() => driver.load(id)),
    commit: (id, change, now) => attempt(() => driver.commit(id, change, now)),
    destroy: (id, now) => attempt(() => driver.destroy(id, now)),
    sweep: (range) => attempt(() => driver.sweep(range)),
    ...(listing && {
      eventualList: listing.eventualList,
      list: (query: ListQuery, now: number) => attempt(() => listing.list(query, now)),
    }),
  };
}
