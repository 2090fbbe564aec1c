import { isSessionError, SessionSetupError } from "../base/errors.ts";
import { isProvisionedDriver } from "./abilities.ts";
import type { Driver } from "./contract.ts";

/** These methods make, check and remove the objects themselves, so they only wait for a running setup(). */
const APART: readonly unknown[] = ["setup", "check", "teardown"];

/**
 * Makes a driver whose first call also runs `setup()`. That call does not wait for `setup()`, because it may not need the
 * missing index. A call that finds something missing waits, and is repeated. After a call has succeeded, `setup()` does
 * not run again: an object that is missing then was lost, and making it again would hide the loss.
 *
 * @returns The driver itself, if it has nothing to set up.
 */
export function selfProvisioning(driver: Driver): Driver {
  if (!isProvisionedDriver(driver)) return driver;
  const setup = (): Promise<void> => driver.setup();
  let isThere = false;
  let isMaking = false;
  let made: Promise<unknown> | undefined;

  /** @returns The error of setup(), because only a call that finds something missing must reject with it. */
  async function make(): Promise<unknown> {
    isMaking = true;
    try {
      await setup();
      return undefined;
    } catch (cause) {
      // Try again after an outage. A missing permission stays, so trying again would slow every request down.
      if (isSessionError(cause, "ERR_SESSION_UNAVAILABLE")) made = undefined;
      return cause;
    } finally {
      isMaking = false;
    }
  }

  async function attempt(call: () => Promise<unknown>): Promise<unknown> {
    made ??= make();
    const making = made;
    try {
      const result = await call();
      isThere = true;
      return result;
    } catch (error) {
      if (!isSessionError(error, "ERR_SESSION_SETUP")) throw error;
      const cause = await making;
      if (cause !== undefined) throw new SessionSetupError(error.message, { cause });
      return call();
    }
  }

  return new Proxy(driver, {
    get(_, key) {
      const value: unknown = Reflect.get(driver, key);
      if (typeof value !== "function") return value;
      const call = value.bind(driver);
      if (APART.includes(key))
        return async (...args: unknown[]) => {
          await made;
          return call(...args);
        };
      const isOver = isThere && !isMaking;
      return isOver || key === "close" ? call : (...args: unknown[]) => attempt(() => call(...args));
    },
  });
}
