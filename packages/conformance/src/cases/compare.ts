import type { Change, Driver } from "@sessions/core";
import * as assert from "../assert.ts";
import type { Case } from "../kit.ts";
import {
  begin,
  fieldsOf,
  HOUR,
  loaded,
  MINUTE,
  manyFields,
  sameFields,
  sameRecord,
  set,
  severalDrivers,
  together,
  touch,
} from "../support.ts";

/** Fifty commits at once with one `ifVersion`. One must win, and its fields must be the stored ones. */
async function contend(drivers: (i: number) => Driver, now: number): Promise<void> {
  const id = await begin(drivers(0), now);
  const fields = (i: number) => fieldsOf(["a/winner", String(i)], [`b/${i}`, "mine"]);
  const outcomes = await together(50, (i) => drivers(i).commit(id, { fields: fields(i), ifVersion: 1 }, now));
  const committed = outcomes.filter((outcome) => outcome === "committed").length;
  assert.equal(committed, 1, "exactly one commit must return committed");
  const conflicts = outcomes.filter((outcome) => outcome === "conflict").length;
  assert.equal(conflicts, 49, "every other commit must return conflict");
  sameFields((await loaded(drivers(0), id)).fields, fields(outcomes.indexOf("committed")));
}

export const compareCases: Case[] = [
  {
    rule: "R5.1",
    title:
      "a commit whose ifVersion differs returns conflict and leaves fields, expiry, principal and version",
    async run(kit) {
      const { driver, now } = kit;
      const record = { expiresAt: now + HOUR, principal: "alice", fields: fieldsOf(["a/x", "1"]) };
      const id = await begin(driver, now, record);
      await driver.commit(id, set("a/y", "2"), now);
      const expected = { ...(await loaded(driver, id)) };
      const changes: Change[] = [
        { ...set("a/x", "3"), expiresAt: now + 2 * HOUR, principal: "bob" },
        { fields: new Map([["a/x", null]]), principal: null },
        touch(now + 2 * HOUR),
        touch(now - MINUTE),
        { fields: new Map() },
        { fields: manyFields(kit, 101, "3"), expiresAt: now + 2 * HOUR },
        { fields: manyFields(kit, 1_001, "3") },
      ];
      for (const change of changes)
        for (const ifVersion of [expected.version - 1, expected.version + 1, expected.version + 1000]) {
          assert.equal(await driver.commit(id, { ...change, ifVersion }, now), "conflict", "commit");
          sameRecord(await loaded(driver, id), expected);
        }
    },
  },
  {
    rule: "R5.2",
    title: "a commit with the version that load returned is committed, and the next with it is not",
    async run({ driver, now }) {
      const id = await begin(driver, now);
      for (let i = 0; i < 5; i++) {
        const { version: ifVersion } = await loaded(driver, id);
        assert.equal(
          await driver.commit(id, { ...set("a/n", String(i)), ifVersion }, now),
          "committed",
          "commit",
        );
        assert.equal(
          await driver.commit(id, { ...set("a/n", "late"), ifVersion }, now),
          "conflict",
          "commit",
        );
        assert.equal((await loaded(driver, id)).fields.get("a/n"), String(i), "field a/n");
      }
      // Everything that a change can name, together with the version.
      const change = { fields: new Map([["a/n", null]]), expiresAt: now + 2 * HOUR, principal: "alice" };
      assert.equal(await driver.commit(id, { ...change, ifVersion: 6 }, now), "committed", "commit");
      sameRecord(await loaded(driver, id), { ...change, version: 7, fields: fieldsOf() });
    },
  },
  {
    rule: "R5.3",
    title: "of fifty concurrent commits with one ifVersion exactly one is committed",
    async run({ driver, now }) {
      await contend(() => driver, now);
    },
  },
  {
    rule: "R5.4",
    title: "of concurrent commits with one ifVersion through several drivers exactly one is committed",
    needs: "shared",
    async run(kit) {
      await contend(await severalDrivers(kit), kit.now);
    },
  },
  {
    rule: "R5.5",
    title: "after a commit without ifVersion an older ifVersion is a conflict",
    async run({ driver, now }) {
      for (const change of [set("a/x", "1"), { fields: new Map(), principal: "alice" }]) {
        const id = await begin(driver, now);
        const { version: ifVersion } = await loaded(driver, id);
        assert.equal(await driver.commit(id, change, now), "committed", "commit");
        assert.equal(await driver.commit(id, { ...set("a/y", "2"), ifVersion }, now), "conflict", "commit");
      }
    },
  },
  {
    rule: "R5.6",
    title: "counters that are read, raised and compared-and-set at once lose nothing",
    async run({ driver, now }) {
      const id = await begin(driver, now, { fields: fieldsOf(["a/n", "0"]) });
      const raise = async () => {
        // Each round has a winner, so eight callers need eight rounds. More rounds leave room for false conflicts.
        for (let tries = 0; tries < 24; tries++) {
          const { version: ifVersion, fields } = await loaded(driver, id);
          const change = set("a/n", String(Number(fields.get("a/n")) + 1));
          if ((await driver.commit(id, { ...change, ifVersion }, now)) === "committed") return;
        }
        assert.fail("a commit must succeed once all other callers are done");
      };
      await together(8, raise);
      assert.equal((await loaded(driver, id)).fields.get("a/n"), "8", "field a/n");
    },
  },
];
