import type { ProvisionedDriver } from "@sessions/core";
import { expect, type TestAPI } from "vitest";

/** A backend's object (table, collection, folder, keys) under the name that the driver's options give. */
export interface ObjectCase {
  /** Its description: `"a table of another library"`. */
  readonly what: string;
  /** Whether another application made it. Otherwise it is the driver's own, whole or damaged. */
  readonly foreign: boolean;
  /** Makes the object, and returns a driver with its name. */
  make(): Promise<ProvisionedDriver>;
  /** Whether the object exists, with everything that was put into it. */
  isThere(): Promise<boolean>;
}

/** Registers tests that `teardown()` removes the driver's own objects, damaged ones too, and nothing else (R12). */
export function testObjects(test: TestAPI, cases: readonly ObjectCase[]): void {
  for (const { what, foreign, make, isThere } of cases)
    test(foreign ? `teardown() leaves ${what}` : `teardown() removes ${what}`, async () => {
      const driver = await make();
      expect(await isThere()).toBe(true);
      // teardown() may leave it silently or reject and say why.
      await driver.teardown().catch((error: unknown) => {
        if (!foreign) throw error;
      });
      expect(await isThere()).toBe(foreign);
      if (foreign)
        await expect(driver.setup()).rejects.toMatchObject({ code: expect.stringMatching(/^ERR_SESSION_/) });
    });
}
