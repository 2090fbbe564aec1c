import { type Driver, isListingDriver } from "@sessions/core";

/** Whether the driver lists a principal's records, and not everybody's. */
export const listsByPrincipal = (driver: Driver): boolean =>
  isListingDriver(driver) && driver.principalsOnly === true;

/** What the driver says of itself that its users must know: a few words each, for the report and the badge. */
export function profileOf(driver: Driver): string[] {
  const { maxFieldsPerCommit, volatile } = driver;
  return [
    ...(volatile === true ? ["evicts sessions"] : []),
    ...(listsByPrincipal(driver) ? ["lists by principal only"] : []),
    ...(maxFieldsPerCommit === undefined ? [] : [`${maxFieldsPerCommit} fields a commit`]),
  ];
}
