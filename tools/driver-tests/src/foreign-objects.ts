import type { ProvisionedDriver } from "@sessions/core";
import { expect, type TestAPI } from "vitest";

/** A backend's object (table, collection, folder, keys) under the name that a driver was told to use. */
export interface ObjectCase {
  /** What it is: `"a table of another library"`. */
  readonly what: string;
  /** Whether somebody else made it; else it is the driver's own, whole or damaged. */
  readonly foreign: boolean;
  /** Makes it, and answers a driver that was told its name. */
  make(): Promise<ProvisionedDriver>;
  /** Whether it is there, with all that was put into it. */
  isThere(): Promise<boolean>;
}

/** `teardown()` removes the driver's own objects, damaged ones included, and nothing else (R12). */
export function testObjects(test: TestAPI, cases: readonly ObjectCase[]): void {
  for (const { what, foreign, make, isThere } of cases)
    test(foreign ? `teardown() leaves ${what}` : `teardown() removes ${what}`, async () => {
      const driver = await make();
      expect(await isThere()).toBe(true);
      // Saying why it is left is as good as leaving it in silence.
      await driver.teardown().catch((error: unknown) => {
        if (!foreign) throw error;
      });
      expect(await isThere()).toBe(foreign);
      if (foreign)
        await expect(driver.setup()).rejects.toMatchObject({ code: expect.stringMatching(/^ERR_SESSION_/) });
    });
}
