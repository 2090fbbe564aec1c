import assert from "node:assert/strict";
import type { Driver } from "@sessions/core";
import type { Case } from "../kit.ts";
import { begin, fieldsOf, leave, MINUTE, newId, severalDrivers, together, touch } from "../support.ts";

async function contend(drivers: (i: number) => Driver, now: number): Promise<void> {
  const id = await begin(drivers(0), now);
  const answers = await together(20, (i) => drivers(i).destroy(id, now));
  assert.equal(answers.filter((answer) => answer === true).length, 1, "exactly one must answer true");
  assert.equal(answers.filter((answer) => answer === false).length, 19, "every other must answer false");
}

export const destroyCases: Case[] = [
  {
    rule: "R7.1",
    title: "destroy of a live record answers true once, then false",
    async run({ driver, now }) {
      const id = await begin(driver, now, { principal: "alice", fields: fieldsOf(["a/x", "1"]) });
      assert.equal(await driver.destroy(id, now), true);
      assert.equal(await driver.destroy(id, now), false);
    },
  },
  {
    rule: "R7.2",
    title: "destroy of an id that was never created answers false",
    async run({ driver, now }) {
      await begin(driver, now);
      assert.equal(await driver.destroy(newId(), now), false);
    },
  },
  {
    rule: "R7.3",
    title: "a record can be destroyed until `now` reaches its expiry, whatever the backend's clock says",
    async run({ driver, now: real }) {
      for (const now of [real, real - 5 * MINUTE, real + 5 * MINUTE]) {
        const first = await begin(driver, now - MINUTE, { expiresAt: now });
        assert.equal(await driver.destroy(first, now), false, "expired at expiresAt itself");
        const second = await begin(driver, now - MINUTE, { expiresAt: now });
        assert.equal(await driver.destroy(second, now - 1), true, "live for one millisecond more");
      }
    },
  },
  {
    rule: "R7.4",
    title: "destroy of a record that expired, or that a commit has ended, answers false",
    async run({ driver, now }) {
      assert.equal(await driver.destroy(await leave(driver, now), now), false);
      const id = await begin(driver, now);
      await driver.commit(id, touch(now - MINUTE), now);
      assert.equal(await driver.destroy(id, now), false);
    },
  },
  {
    rule: "R7.5",
    title: "of twenty concurrent destroys exactly one answers true",
    async run({ driver, now }) {
      await contend(() => driver, now);
    },
  },
  {
    rule: "R7.6",
    title: "of concurrent destroys through several drivers exactly one answers true",
    needs: "shared",
    async run(kit) {
      await contend(await severalDrivers(kit), kit.now);
    },
  },
  {
    rule: "R7.7",
    title: "load of a destroyed record answers undefined",
    async run({ driver, now }) {
      const id = await begin(driver, now, { principal: "alice", fields: fieldsOf(["a/x", "1"]) });
      await driver.destroy(id, now);
      assert.equal(await driver.load(id), undefined);
    },
  },
];
