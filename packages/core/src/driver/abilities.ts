import { hasMethods } from "../base/options.ts";
import type { ClosableDriver, Driver, ListingDriver, ProvisionedDriver } from "./contract.ts";

/** Whether the driver can list its records (R13). If not, the manager's `list` and `destroyAll` are unsupported. */
export function isListingDriver(driver: Driver): driver is ListingDriver {
  return hasMethods(driver, "list");
}

/** Whether the driver has tables, indexes or folders to set up (R12). */
export function isProvisionedDriver(driver: Driver): driver is ProvisionedDriver {
  return hasMethods(driver, "setup", "check", "teardown");
}

/** Whether the driver opened a client or a file, which `close()` must end. */
export function isClosableDriver(driver: Driver): driver is ClosableDriver {
  return hasMethods(driver, "close");
}
