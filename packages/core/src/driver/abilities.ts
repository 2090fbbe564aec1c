import { hasMethods } from "../base/options.ts";
import type { ClosableDriver, Driver, ListingDriver, ProvisionedDriver } from "./contract.ts";

/**
 * Returns whether the driver can list its records (rule R13 of SPEC.md). Without a list, `list()` and
 * `destroyAll()` reject.
 *
 * @example
 * console.log(isListingDriver(await driverFromUrl("memory:"))); // true
 */
export function isListingDriver(driver: Driver): driver is ListingDriver {
  return hasMethods(driver, "list");
}

/** Returns whether the driver has tables, indexes or folders to set up (rule R12 of SPEC.md). */
export function isProvisionedDriver(driver: Driver): driver is ProvisionedDriver {
  return hasMethods(driver, "setup", "check", "teardown");
}

/** Returns whether the driver opened a connection that its `close()` ends. */
export function isClosableDriver(driver: Driver): driver is ClosableDriver {
  return hasMethods(driver, "close");
}
