import * as assert from "../assert.ts";
import type { Case } from "../kit.ts";
import {
  begin,
  fieldsOf,
  HOUR,
  loaded,
  MINUTE,
  manyFields,
  newId,
  sameFields,
  sameRecord,
  set,
  together,
  touch,
} from "../support.ts";

export const loadCases: Case[] = [
  {
    rule: "R2.1",
    title: "expiry and version come back as numbers, to the millisecond",
    async run({ driver, now }) {
      for (const expiresAt of [1, 789, 400 * 24 * HOUR + 999, 100 * 365 * 24 * HOUR + 999].map(
        (life) => now + HOUR + life,
      )) {
        const id = await begin(driver, now, { expiresAt });
        sameRecord(await loaded(driver, id), { version: 1, expiresAt });
        await driver.commit(id, { ...set("a/x", "1"), expiresAt: expiresAt + 13 }, now);
        sameRecord(await loaded(driver, id), { version: 2, expiresAt: expiresAt + 13 });
        for (const moved of [27, 28]) {
          await driver.commit(id, touch(expiresAt + moved), now);
          sameRecord(await loaded(driver, id), { expiresAt: expiresAt + moved });
        }
      }
    },
  },
  {
    rule: "R2.2",
    title: "load of an id that was never created returns undefined",
    async run({ driver, now }) {
      await begin(driver, now);
      assert.equal(await driver.load(newId()), undefined, "load");
    },
  },
  {
    rule: "R2.3",
    title: "a record created without a principal has none",
    async run({ driver, now }) {
      assert.equal(
        (await loaded(driver, await begin(driver, now))).principal,
        undefined,
        "the principal of a record without one",
      );
      const id = await begin(driver, now, { principal: undefined });
      assert.equal((await loaded(driver, id)).principal, undefined, "the principal of a record without one");
    },
  },
  {
    rule: "R2.4",
    title: "load sees the commit that was acknowledged just before",
    async run({ driver, now }) {
      const id = await begin(driver, now);
      for (let i = 0; i < 24; i++) {
        await driver.commit(id, { ...set("a/n", String(i)), expiresAt: now + HOUR + i * 1000 }, now);
        const record = await loaded(driver, id);
        sameRecord(record, { expiresAt: now + HOUR + i * 1000 });
        assert.equal(record.fields.get("a/n"), String(i), "field a/n");
      }
      // A load that began before a commit must not serve a load that begins after it.
      const begun = driver.load(id);
      const after = driver
        .commit(id, set("a/n", "24"), now)
        .then(async () => assert.equal((await loaded(driver, id)).fields.get("a/n"), "24", "field a/n"));
      await Promise.all([begun, after]);
      // Many loads at once, for drivers that combine loads into one query.
      for (const record of await together(150, () => loaded(driver, id)))
        assert.equal(record.fields.get("a/n"), "24", "field a/n");
    },
  },
  {
    rule: "R2.5",
    title: "changing what load returned changes nothing stored",
    async run({ driver, now }) {
      const id = await begin(driver, now, { fields: fieldsOf(["a/x", "1"], ["a/y", "2"]) });
      const [{ fields }, other] = await Promise.all([loaded(driver, id), loaded(driver, id)]);
      if (fields instanceof Map) {
        fields.set("a/x", "changed").set("a/z", "new");
        fields.delete("a/y");
      }
      sameFields(other.fields, fieldsOf(["a/x", "1"], ["a/y", "2"]));
      sameFields((await loaded(driver, id)).fields, fieldsOf(["a/x", "1"], ["a/y", "2"]));
    },
  },
  {
    rule: "R2.6",
    title: "changing the Map that create or commit was given changes nothing stored",
    async run(kit) {
      const { driver, now } = kit;
      const given = fieldsOf(["a/x", "1"]);
      // Change the Map at once: a driver must have copied it before it waits for a connection.
      const beginning = begin(driver, now, { fields: given });
      given.set("a/x", "changed").set("a/z", "new");
      const id = await beginning;
      sameFields((await loaded(driver, id)).fields, fieldsOf(["a/x", "1"]));
      const patch = new Map<string, string | null>([["a/y", "2"]]);
      const committing = driver.commit(id, { fields: patch }, now);
      patch.set("a/y", "changed").set("a/x", null);
      await committing;
      sameFields((await loaded(driver, id)).fields, fieldsOf(["a/x", "1"], ["a/y", "2"]));
      const kept = fieldsOf(["a/x", "1"], ["a/y", "2"]);
      await driver.commit(id, { fields: kept }, now);
      sameFields(kept, fieldsOf(["a/x", "1"], ["a/y", "2"]));
      const large = new Map<string, string | null>(manyFields(kit, 1_001, "1"));
      const wide = await begin(driver, now);
      const committingMany = driver.commit(wide, { fields: large }, now);
      large.clear();
      await committingMany;
      assert.equal(large.size, 0, "the driver must not write to the caller's Map");
      sameFields((await loaded(driver, wide)).fields, manyFields(kit, 1_001, "1"));
      await driver.commit(id, set("a/z", "3"), now);
      sameFields((await loaded(driver, id)).fields, fieldsOf(["a/x", "1"], ["a/y", "2"], ["a/z", "3"]));
      sameFields(given, fieldsOf(["a/x", "changed"], ["a/z", "new"]));
    },
  },
  {
    rule: "R2.7",
    title: "a record that is live by its callers' clock is there, though the backend's clock is ahead",
    async run({ driver, now: real }) {
      const now = real - 5 * MINUTE;
      const fields = fieldsOf(["a/x", "1"]);
      const id = await begin(driver, now, { expiresAt: now + MINUTE, fields });
      sameRecord(await loaded(driver, id), { version: 1, expiresAt: now + MINUTE, fields });
    },
  },
];
