import type { ListingDriver, ProvisionedDriver } from "@sessions/core";
import { expect, type TestAPI } from "vitest";
import { HOUR, newId } from "./records.ts";

/**
 * A driver that has prepared its statements loses its table. Every call must then reject with `SessionSetupError`
 * (R12.8) and say which `setup()` to call. When the table is back, the driver must work again.
 *
 * @param drop Removes the table without the driver's help.
 */
export function testLostTable(
  test: TestAPI,
  make: () => Promise<{ driver: ListingDriver & ProvisionedDriver; drop: () => Promise<unknown> }>,
): void {
  test("every call is SessionSetupError after the table is lost, and works when it is back", async () => {
    const { driver, drop } = await make();
    const id = newId();
    const now = Date.now();
    const fields = new Map([["a/x", "1"]]);
    const many = new Map(Array.from({ length: 1_200 }, (_, i) => [`a/${i}`, "1"] as const));
    const calls: Record<string, () => Promise<unknown>> = {
      create: () => driver.create(id, { expiresAt: now + HOUR, fields, principal: "alice" }, now),
      load: () => driver.load(id),
      commit: () => driver.commit(id, { fields }, now),
      "commit with ifVersion": () => driver.commit(id, { fields, ifVersion: 2 }, now),
      "commit of many fields": () => driver.commit(id, { fields: many }, now),
      touch: () => driver.commit(id, { fields: new Map(), expiresAt: now + HOUR }, now),
      list: () => driver.list({ limit: 10 }, now),
      "list of a principal": () => driver.list({ principal: "alice", limit: 10 }, now),
      sweep: () => driver.sweep({ after: 0, before: now, limit: 10 }),
      destroy: () => driver.destroy(id, now),
    };
    const work = async () => {
      const answers: unknown[] = [];
      for (const call of Object.values(calls)) answers.push(await call());
      return answers;
    };
    await driver.setup();
    const before = await work();
    for (let round = 0; round < 2; round++) {
      await drop();
      for (const [name, call] of Object.entries(calls))
        await expect(call(), name).rejects.toMatchObject({
          code: "ERR_SESSION_SETUP",
          message: expect.stringMatching(/sessions\.setup\(\).* driver\.setup\(\)/),
        });
      await driver.setup();
      expect(await work()).toEqual(before);
    }
  });
}
