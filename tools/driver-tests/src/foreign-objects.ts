import type { ProvisionedDriver } from "@sessions/core";
import { expect, type TestAPI } from "vitest";

/** An object of a backend (table, collection, folder, keys) under the name that the driver uses. */
export interface ObjectCase {
  /** Describes the object: `"a table of another library"`. */
  readonly what: string;
  /** Whether another application made the object. If not, it is the driver's own, whole or damaged. */
  readonly foreign: boolean;
  /** Makes the object, and returns a driver that uses its name. */
  make(): Promise<ProvisionedDriver>;
  /** Whether the object is there with all its contents. */
  isThere(): Promise<boolean>;
}

/** Registers tests that `teardown()` removes the driver's own objects, damaged ones too, and nothing else (R12). */
export function testObjects(test: TestAPI, cases: readonly ObjectCase[]): void {
  for (const { what, foreign, make, isThere } of cases)
    test(foreign ? `teardown() leaves ${what}` : `teardown() removes ${what}`, async () => {
      const driver = await make();
      expect(await isThere()).toBe(true);
      // A driver may leave a foreign object silently, or reject and say why.
      await driver.teardown().catch((error: unknown) => {
        if (!foreign) throw error;
      });
      expect(await isThere()).toBe(foreign);
      if (foreign)
        await expect(driver.setup()).rejects.toMatchObject({ code: expect.stringMatching(/^ERR_SESSION_/) });
    });
}
