import { isSessionError, SessionSetupError } from "../base/errors.ts";
import { isProvisionedDriver } from "./abilities.ts";
import type { Driver } from "./contract.ts";

/** Methods that wait for a `setup()` under way, and do not start one. */
const APART: readonly unknown[] = ["setup", "check", "teardown"];

/**
 * Wraps a driver so that it sets up its backend by itself. `setup()` runs once, beside the first call; that call does
 * not wait for an index that it does not need. A call that finds something missing waits for `setup()` and runs again.
 * Once a call has succeeded, nothing is created any more: a table that is missing later was lost, and a new one would
 * hide that.
 *
 * @returns The driver itself, if it has nothing to set up.
 * @example
 * import { createSessionManager } from "@sessions/core";
 * import { selfProvisioning } from "@sessions/core/driver-tools";
 * import { memoryDriver } from "@sessions/core/memory";
 *
 * // createSessionManager() does this itself, unless its option setup is "manual".
 * const driver = selfProvisioning(memoryDriver());
 * const sessions = createSessionManager({ driver, setup: "manual" });
 */
export function selfProvisioning(driver: Driver): Driver {
  if (!isProvisionedDriver(driver)) return driver;
  let isThere = false;
  let isMaking = false;
  let made: Promise<unknown> | undefined;

  /** @returns The error of `setup()`. Only a call that finds something missing throws it. */
  const make = async (): Promise<unknown> => {
    isMaking = true;
    try {
      await driver.setup();
      return undefined;
    } catch (cause) {
      // Try again after an outage. A missing permission stays, and a new try would cost every request.
      if (isSessionError(cause, "ERR_SESSION_UNAVAILABLE")) made = undefined;
      return cause;
    } finally {
      isMaking = false;
    }
  };

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
