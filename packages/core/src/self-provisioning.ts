import { isProvisionedDriver } from "./abilities.ts";
import type { Driver } from "./driver.ts";
import { isSessionError, SessionSetupError } from "./errors.ts";

/** Makes, removes and names what the calls need: it waits for what is being made. */
const APART: readonly unknown[] = ["setup", "check", "teardown"];

/**
 * A driver that makes what its backend lacks: `setup()` runs once, beside the first call, which need not wait for an index
 * that it can do without. A call that finds something missing waits, and is repeated. Later nothing is made any more:
 * what is missing then was lost, and making it anew would hide that.
 *
 * @returns The driver itself, where it has nothing to set up.
 */
export function selfProvisioning(driver: Driver): Driver {
  if (!isProvisionedDriver(driver)) return driver;
  const setup = (): Promise<void> => driver.setup();
  let isThere = false;
  let isMaking = false;
  let made: Promise<unknown> | undefined;

  /** @returns What it failed with: only a call that finds something missing has to know. */
  async function make(): Promise<unknown> {
    isMaking = true;
    try {
      await setup();
      return undefined;
    } catch (cause) {
      // An outage ends; a missing permission stays, and asking again would cost every request.
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
