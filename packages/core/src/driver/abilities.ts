import type { ClosableDriver, Driver, ListingDriver, ProvisionedDriver } from "./contract.ts";

const has = (driver: Driver, method: string): boolean =>
  method in driver && typeof Reflect.get(driver, method) === "function";

/** Whether the driver can list its records (R13); where not, `list` and `destroyAll` are unsupported. */
export function isListingDriver(driver: Driver): driver is ListingDriver {
  return has(driver, "list");
}

/** Whether the driver has tables, indexes or folders to set up (R12). */
export function isProvisionedDriver(driver: Driver): driver is ProvisionedDriver {
  return has(driver, "setup") && has(driver, "check") && has(driver, "teardown");
}

/** Whether the driver opened something that `close()` must end. */
export function isClosableDriver(driver: Driver): driver is ClosableDriver {
  return has(driver, "close");
}
