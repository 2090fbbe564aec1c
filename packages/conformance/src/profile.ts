import { type Driver, isListingDriver } from "@sessions/core";
import type { Target } from "./target.ts";

/** Whether the driver lists a principal's records, and not everybody's. */
export const listsByPrincipal = (driver: Driver): boolean =>
  isListingDriver(driver) && driver.principalsOnly === true;

/** What the driver says of itself that its users must know, a few words each. */
function profileOf(driver: Driver): string[] {
  const { maxFieldsPerCommit, volatile } = driver;
  return [
    ...(volatile === true ? ["evicts sessions"] : []),
    ...(listsByPrincipal(driver) ? ["lists by principal only"] : []),
    ...(maxFieldsPerCommit === undefined ? [] : [`${maxFieldsPerCommit} fields a commit`]),
  ];
}

/** The target, and what the drivers that it opens say of themselves. */
export function observed(target: Target): { target: Target; profile: Set<string> } {
  const profile = new Set<string>();
  const { name, shared, limits, outage, exclude } = target;
  return {
    profile,
    target: {
      ...{ name, shared, limits, outage, exclude },
      async open(...args) {
        const driver = await target.open(...args);
        // A value that is no driver is for the kit to report.
        if (Object(driver) === driver) for (const words of profileOf(driver)) profile.add(words);
        return driver;
      },
    },
  };
}
