import type { Driver } from "@sessions/core";

/**
 * The same driver, of which each rejected call is shown to `see`. A case may swallow a rejection and fail for what it
 * led to.
 */
export function watched(driver: Driver, see: (call: string, error: unknown) => void): Driver {
  // Inherit from the driver instead of standing for it, because a proxy may not change what a frozen object holds.
  const heir: Driver = Object.create(driver);
  return new Proxy(heir, {
    get(_, name) {
      // With the driver as `this`, because it may be an instance of a class with private fields.
      const value: unknown = Reflect.get(driver, name);
      if (typeof value !== "function" || typeof name === "symbol") return value;
      return (...args: unknown[]): unknown => {
        const result: unknown = Reflect.apply(value, driver, args);
        if (result instanceof Promise) result.catch((error: unknown) => see(name, error));
        return result;
      };
    },
  });
}
