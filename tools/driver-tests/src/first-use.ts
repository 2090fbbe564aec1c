import { randomBytes } from "node:crypto";
import { createSessionManager, type ListingDriver, type ProvisionedDriver } from "@sessions/core";
import { expect, type TestAPI } from "vitest";

/**
 * The first call of a process makes a missing object again, even one that the call itself does not need, such as an
 * index.
 *
 * @param drop Removes the object without the driver's help.
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
