import type { Driver } from "@sessions/core";
import * as assert from "../assert.ts";
import type { Case } from "../kit.ts";
import { listsExactly } from "../paging.ts";
import {
  begin,
  fieldsOf,
  HOUR,
  leave,
  loaded,
  MINUTE,
  newId,
  sameRecord,
  severalDrivers,
  together,
} from "../support.ts";

/** Fifty creates of one id at once. One must win, and the stored record must be wholly its own. */
async function contend(drivers: (i: number) => Driver, id: string, now: number): Promise<void> {
  const record = (i: number) => ({
    expiresAt: now + HOUR + i * 1000,
    principal: `user ${i}`,
    fields: fieldsOf(["a/winner", String(i)], [`b/${i}`, "mine"]),
  });
  const won = await together(50, (i) => drivers(i).create(id, record(i), now));
  assert.equal(won.filter((answer) => answer === true).length, 1, "exactly one create must return true");
  assert.equal(won.filter((answer) => answer === false).length, 49, "every other create must return false");
  sameRecord(await loaded(drivers(0), id), { version: 1, ...record(won.indexOf(true)) });
}

export const createCases: Case[] = [
  {
    rule: "R1.1",
    title: "a created record has version 1 and its expiry, principal and fields",
    async run({ driver, now }) {
      const record = {
        expiresAt: now + HOUR,
        principal: "alice",
        fields: fieldsOf(["cart/items", "[1]"], ["/core", "x"]),
      };
      sameRecord(await loaded(driver, await begin(driver, now, record)), { version: 1, ...record });
    },
  },
  {
    rule: "R1.2",
    title: "create where a live record has the id returns false and changes nothing",
    async run({ driver, now }) {
      const record = { expiresAt: now + HOUR, principal: "alice", fields: fieldsOf(["a/x", "1"]) };
      const id = await begin(driver, now, record);
      const second = { expiresAt: now + 2 * HOUR, principal: "bob", fields: fieldsOf(["a/y", "2"]) };
      assert.equal(await driver.create(id, second, now), false, "create");
      assert.equal(
        await driver.create(id, record, now),
        false,
        "create must return false, also for an equal record",
      );
      sameRecord(await loaded(driver, id), { version: 1, ...record });
    },
  },
  {
    rule: "R1.3",
    title: "of fifty concurrent creates of one id exactly one wins, and its record is whole",
    async run({ driver, now }) {
      await contend(() => driver, newId(), now);
    },
  },
  {
    rule: "R1.4",
    title: "a record blocks create until `now` reaches its expiry, whatever the backend's clock says",
    async run({ driver, now: real }) {
      for (const now of [real, real - 5 * MINUTE, real + 5 * MINUTE]) {
        const id = await begin(driver, now - MINUTE, { expiresAt: now });
        const record = { expiresAt: now + HOUR, fields: fieldsOf() };
        assert.equal(
          await driver.create(id, record, now - 1),
          false,
          "create must return false: the record is live for one more millisecond",
        );
        assert.equal(
          await driver.create(id, record, now),
          true,
          "create must return true: at expiresAt itself the record is expired",
        );
        // A life that is shorter than the backend's unit of time.
        const short = await begin(driver, now, { expiresAt: now + 1 });
        assert.equal(await driver.create(short, record, now), false, "create over a life of one millisecond");
      }
    },
  },
  {
    rule: "R1.5",
    title: "create over an expired leftover begins anew: version 1, nothing of the old record",
    async run({ driver, now }) {
      const id = await begin(driver, now - 2 * MINUTE, {
        principal: "alice",
        fields: fieldsOf(["a/old", "1"], ["a/both", "1"]),
      });
      const end = { fields: new Map([["a/older", "1"]]), expiresAt: now - MINUTE };
      assert.equal(await driver.commit(id, end, now - 2 * MINUTE), "committed", "commit");
      const record = { expiresAt: now + HOUR, fields: fieldsOf(["a/both", "2"]) };
      assert.equal(await driver.create(id, record, now), true, "create");
      sameRecord(await loaded(driver, id), { version: 1, principal: undefined, ...record });
      const swept = await leave(driver, now, { principal: "alice", fields: fieldsOf(["a/old", "1"]) });
      await driver.sweep({ after: 0, before: now, limit: 100 });
      assert.equal(await driver.create(swept, record, now), true, "create");
      sameRecord(await loaded(driver, swept), { version: 1, principal: undefined, ...record });
    },
  },
  {
    rule: "R1.6",
    title: "of fifty concurrent creates over one expired leftover exactly one wins",
    async run({ driver, now }) {
      const id = await leave(driver, now, { principal: "old", fields: fieldsOf(["a/old", "1"]) });
      await contend(() => driver, id, now);
    },
  },
  {
    rule: "R1.7",
    title: "the id of a destroyed record can be used again, and begins anew",
    async run({ driver, now }) {
      const id = await begin(driver, now, { principal: "alice", fields: fieldsOf(["a/old", "1"]) });
      const record = { expiresAt: now + HOUR, fields: fieldsOf(["a/new", "2"]) };
      // The second time the caller's clock is behind that of the destroyer.
      for (const at of [now, now - MINUTE]) {
        await driver.destroy(id, now);
        assert.equal(await driver.create(id, record, at), true, "create");
        sameRecord(await loaded(driver, id), { version: 1, principal: undefined, ...record });
      }
    },
  },
  {
    rule: "R1.8",
    title: "of concurrent creates through several drivers on one backend exactly one wins",
    needs: "shared",
    async run(kit) {
      const drivers = await severalDrivers(kit);
      await contend(drivers, newId(), kit.now);
      await contend(drivers, await leave(kit.driver, kit.now), kit.now);
    },
  },
  {
    rule: "R1.9",
    title: "create over an expired leftover takes it out of its old principal's listing",
    needs: "list",
    async run(kit) {
      const { driver, now } = kit;
      const id = await leave(driver, now, { principal: "alice" });
      const record = { expiresAt: now + HOUR, principal: "bob", fields: fieldsOf() };
      assert.equal(await driver.create(id, record, now), true, "create");
      await listsExactly(kit, { principal: "bob" }, [id]);
      await listsExactly(kit, { principal: "alice" }, []);
    },
  },
];
