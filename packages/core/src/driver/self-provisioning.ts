import { isSessionError, SessionSetupError } from "../base/errors.ts";
import { isProvisionedDriver } from "./abilities.ts";
import type { Driver } from "./contract.ts";

/** Makes, removes and names what the calls need, or ends the driver: none of these needs anything made. */
const APART: readonly unknown[] = ["setup", "check", "teardown", "close"];

/**
 * A driver that makes what its backend lacks: the first call that finds something missing waits for `setup()`, and is
 * repeated. Once a call has succeeded nothing is made any more: what is missing later was lost, and making it anew would
 * hide that.
 *
 * @returns The driver itself, where it has nothing to set up.
 */
export function selfProvisioning(driver: Driver): Driver {
  if (!isProvisionedDriver(driver)) return driver;
  const setup = (): Promise<void> => driver.setup();
  let isThere = false;
  let made: Promise<void> | undefined;

  async function attempt(call: () => Promise<unknown>): Promise<unknown> {
    // Another call may find it there, or make it, while this one is on its way.
    const wasThere = isThere;
    try {
      const result = await call();
      isThere = true;
      return result;
    } catch (error) {
      if (wasThere || !isSessionError(error, "ERR_SESSION_SETUP")) throw error;
      made ??= setup();
      try {
        await made;
      } catch (cause) {
        // An outage ends; a missing permission stays, and asking again would cost every request.
        if (isSessionError(cause, "ERR_SESSION_UNAVAILABLE")) made = undefined;
        throw new SessionSetupError(error.message, { cause });
      }
      isThere = true;
      return call();
    }
  }

  return new Proxy(driver, {
    get(_, key) {
      const value: unknown = Reflect.get(driver, key);
      if (typeof value !== "function") return value;
      const call = value.bind(driver);
      return isThere || APART.includes(key) ? call : (...args: unknown[]) => attempt(() => call(...args));
    },
  });
}
