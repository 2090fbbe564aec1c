import type { Change } from "@sessions/core";
import * as assert from "../assert.ts";
import type { Case, Kit } from "../kit.ts";
import {
  begin,
  fieldsOf,
  HOUR,
  leave,
  loaded,
  MINUTE,
  manyFields,
  newId,
  sameRecord,
  set,
  together,
  touch,
} from "../support.ts";

/** Every kind of change that could bring a record back. Drivers may have separate code for large ones. */
const changes = ({ now, ...kit }: Kit): Change[] => [
  set("a/x", "late"),
  touch(now + HOUR),
  { fields: new Map() },
  { ...set("a/x", "late"), expiresAt: now + HOUR, principal: "late" },
  { fields: new Map([["a/x", null]]), principal: null },
  { fields: manyFields(kit, 101, "late"), expiresAt: now + HOUR },
  { fields: manyFields(kit, 1_001, "late") },
];

/** Versions around 1, the only version that a record here has had. */
const versions = [0, 1, 2, 3];

export const goneCases: Case[] = [
  {
    rule: "R4.1",
    title: "commit to an id that was never created returns gone and makes nothing",
    async run(kit) {
      const { driver, now } = kit;
      const id = newId();
      for (const change of changes(kit)) assert.equal(await driver.commit(id, change, now), "gone", "commit");
      assert.equal(await driver.load(id), undefined, "load");
    },
  },
  {
    rule: "R4.2",
    title: "commit to a destroyed record returns gone and brings nothing back",
    async run(kit) {
      const { driver, now } = kit;
      const id = await begin(driver, now, { principal: "alice", fields: fieldsOf(["a/x", "1"]) });
      await driver.destroy(id, now);
      // A caller whose clock is behind that of the destroyer gets "gone" too.
      for (const at of [now, now - MINUTE])
        for (const change of changes(kit))
          assert.equal(await driver.commit(id, change, at), "gone", "commit");
      assert.equal(await driver.load(id), undefined, "load");
    },
  },
  {
    rule: "R4.3",
    title: "commit to an expired record returns gone and revives nothing, a new expiry included",
    async run(kit) {
      const { driver, now } = kit;
      const id = await leave(driver, now, { fields: fieldsOf(["a/x", "1"]) });
      for (const change of changes(kit)) assert.equal(await driver.commit(id, change, now), "gone", "commit");
      const left = await driver.load(id);
      // Load may hide an expired record. If it returns the record, nothing may have changed.
      if (left) sameRecord(left, { version: 1, expiresAt: now - MINUTE, fields: fieldsOf(["a/x", "1"]) });
    },
  },
  {
    rule: "R4.4",
    title: "a record takes commits until `now` reaches its expiry, whatever the backend's clock says",
    async run({ driver, now: real }) {
      for (const now of [real, real - 5 * MINUTE, real + 5 * MINUTE]) {
        const id = await begin(driver, now - MINUTE, { expiresAt: now });
        assert.equal(await driver.commit(id, set("a/x", "1"), now - 1), "committed", "commit");
        assert.equal(await driver.commit(id, set("a/x", "2"), now), "gone", "commit");
        assert.equal(await driver.commit(id, touch(now + HOUR), now + 1), "gone", "commit");
        // One millisecond is left, which is less than the backend's unit of time.
        const short = await begin(driver, now);
        await driver.commit(short, touch(now + 1), now);
        assert.equal(await driver.commit(short, set("a/x", "1"), now), "committed", "commit");
        assert.equal(await driver.commit(short, set("a/x", "2"), now + 1), "gone", "commit");
      }
    },
  },
  {
    rule: "R4.5",
    title: "commit to an unknown, destroyed or expired record returns gone whatever ifVersion says",
    async run(kit) {
      const { driver, now } = kit;
      const destroyed = await begin(driver, now);
      await driver.destroy(destroyed, now);
      for (const id of [newId(), destroyed, await leave(driver, now)])
        for (const ifVersion of versions) {
          const all = changes(kit).map((change) => driver.commit(id, { ...change, ifVersion }, now));
          assert.deepEqual(new Set(await Promise.all(all)), new Set(["gone"]), "the results of commit");
        }
    },
  },
  {
    rule: "R4.6",
    title: "a commit that moves the expiry to `now` or before is committed and ends the record",
    async run({ driver, now }) {
      for (const expiresAt of [now, now - MINUTE, 0]) {
        for (const extra of [{}, { ifVersion: 1 }, { fields: new Map([["a/x", null]]) }]) {
          const id = await begin(driver, now - MINUTE, { fields: fieldsOf(["a/x", "1"]) });
          assert.equal(
            await driver.commit(id, { ...touch(expiresAt), ...extra }, now),
            "committed",
            "commit",
          );
          assert.equal(await driver.commit(id, set("a/x", "late"), now), "gone", "commit");
          assert.equal(await driver.commit(id, touch(now + HOUR), now), "gone", "commit");
        }
      }
    },
  },
  {
    rule: "R4.7",
    title: "a commit that races with a destroy brings nothing back",
    async run({ driver, now }) {
      const ids = await together(20, () => begin(driver, now, { fields: fieldsOf(["a/x", "1"]) }));
      const destroyed = new Set<string>();
      await together(80, async (i) => {
        const id = ids[i % 20] ?? "";
        // Each record gets four calls, one of them a destroy: for every fourth record it is the first call, or the
        // second...
        if ((Math.floor(i / 20) + i) % 4 === 0) return (await driver.destroy(id, now)) && destroyed.add(id);
        const change = i % 3 === 0 ? touch(now + 2 * HOUR) : set(`a/${i}`, "late");
        const outcome = await driver.commit(id, change, now);
        return assert.ok(outcome !== "conflict", "commit must return committed or gone, not conflict");
      });
      // If no destroy returned true, R7.10 reports it.
      for (const id of destroyed) {
        assert.equal(await driver.load(id), undefined, "a destroyed record must not be there");
        assert.equal(await driver.commit(id, set("a/z", "3"), now), "gone", "commit");
      }
    },
  },
  {
    rule: "R4.8",
    title: "a compare-and-set that races with a destroy returns committed or gone, never conflict",
    async run({ driver, now }) {
      const ids = await together(60, () => begin(driver, now));
      const outcomes = await together(120, async (i) => {
        const id = ids[i >> 1] ?? "";
        // Half of the pairs begin with the commit, half with the destroy.
        if (i % 2 === (i >> 1) % 2) return driver.destroy(id, now);
        return driver.commit(id, { ...set("a/x", "1"), ifVersion: 1 }, now);
      });
      assert.ok(
        !outcomes.includes("conflict"),
        "a commit must return committed or gone, because no other commit ran, not conflict",
      );
    },
  },
  {
    rule: "R4.9",
    title: "commits that race with the commit that ends a record do not move its end",
    async run({ driver, now }) {
      const ids = await together(10, () => begin(driver, now - MINUTE));
      await together(60, async (i) => {
        const id = ids[i % 10] ?? "";
        if (i >= 20 && i < 30)
          assert.equal(await driver.commit(id, touch(now - 1000), now), "committed", "commit");
        else {
          const outcome = await driver.commit(id, { ...set(`a/${i}`, "1"), expiresAt: now + HOUR }, now);
          assert.ok(outcome !== "conflict", "commit must return committed or gone, not conflict");
        }
      });
      for (const id of ids) assert.equal(await driver.commit(id, set("a/y", "2"), now), "gone", "commit");
    },
  },
  {
    rule: "R4.10",
    title:
      "a commit that returns gone to a clock that is ahead leaves the record to callers whose clock is not",
    async run({ driver, now }) {
      const id = await begin(driver, now, { expiresAt: now + MINUTE, fields: fieldsOf(["a/x", "1"]) });
      assert.equal(await driver.commit(id, set("a/x", "2"), now + 2 * MINUTE), "gone", "commit");
      sameRecord(await loaded(driver, id), { version: 1, fields: fieldsOf(["a/x", "1"]) });
      assert.equal(await driver.commit(id, set("a/x", "3"), now), "committed", "commit");
    },
  },
  {
    rule: "R4.13",
    title: "a record that a commit has ended is there for callers whose clock is before that end",
    async run({ driver, now }) {
      for (const [i, expiresAt] of [now, now - MINUTE].entries()) {
        const id = await begin(driver, now - 2 * MINUTE);
        assert.equal(await driver.commit(id, touch(expiresAt), now), "committed", "commit");
        assert.equal(await driver.commit(id, set("a/x", "1"), expiresAt - 1), "committed", "commit");
        if (i === 0) assert.equal(await driver.destroy(id, expiresAt - 1), true, "destroy");
        else assert.equal(await driver.commit(id, set("a/x", "2"), expiresAt), "gone", "commit");
      }
    },
  },
];
