import { randomBytes } from "node:crypto";
import { createSessionManager, type ListingDriver, type ProvisionedDriver } from "@sessions/core";
import { expect, type TestAPI } from "vitest";

/**
 * Registers a test that the first call of a process makes a missing object that the call itself does not need, such as an
 * index.
 *
 * @param what Names the object, for the test's title.
 * @param make Returns a driver, and a function that drops the object without the driver's help.
 */
export function testFirstUse(
  test: TestAPI,
  what: string,
  make: () => Promise<{ driver: ListingDriver & ProvisionedDriver; drop: () => Promise<unknown> }>,
): void {
  test(`the first call of a process makes ${what}`, async () => {
    const { driver, drop } = await make();
    await driver.setup();
    await drop();
    expect(await driver.check()).not.toEqual([]);
    const sessions = createSessionManager({ driver });
    expect(await sessions.valid(randomBytes(16).toString("hex"))).toBe(false);
    expect(await sessions.check()).toEqual([]);
  });
}
