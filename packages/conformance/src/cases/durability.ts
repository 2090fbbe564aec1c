import * as assert from "../assert.ts";
import type { Case } from "../kit.ts";
import { begin, fieldsOf, HOUR, loaded, newId, sameRecord, set, touch } from "../support.ts";

export const durabilityCases: Case[] = [
  {
    rule: "R10.1",
    title: "another driver on the same backend sees at once what a commit acknowledged",
    needs: "shared",
    async run(kit) {
      const { driver, now } = kit;
      const other = await kit.open();
      const id = await begin(driver, now, { fields: fieldsOf(["a/n", "start"]) });
      sameRecord(await loaded(other, id), { version: 1, fields: fieldsOf(["a/n", "start"]) });
      for (let i = 0; i < 8; i++) {
        // The drivers alternate, so that a driver which caches a record shows an old one.
        const [writer, reader] = i % 2 === 0 ? [driver, other] : [other, driver];
        const change = { ...set("a/n", String(i)), expiresAt: now + HOUR + i * 1000, principal: `user ${i}` };
        assert.equal(await writer.commit(id, change, now), "committed", "commit");
        sameRecord(await loaded(reader, id), {
          version: i + 2,
          ...change,
          fields: fieldsOf(["a/n", String(i)]),
        });
      }
    },
  },
  {
    rule: "R10.2",
    title: "another driver sees at once that a record was created, touched or destroyed",
    needs: "shared",
    async run(kit) {
      const { driver, now } = kit;
      const other = await kit.open();
      const id = newId();
      assert.equal(await other.load(id), undefined, "load");
      assert.equal(
        await driver.create(id, { expiresAt: now + HOUR, fields: fieldsOf() }, now),
        true,
        "create",
      );
      await loaded(other, id);
      await driver.commit(id, touch(now + 2 * HOUR), now);
      sameRecord(await loaded(other, id), { expiresAt: now + 2 * HOUR });
      assert.equal(await driver.destroy(id, now), true, "destroy");
      assert.equal(await other.load(id), undefined, "load");
      // Create it again through the other driver, so that a driver which remembers the id as destroyed fails.
      assert.equal(
        await other.create(id, { expiresAt: now + HOUR, fields: fieldsOf(["a/x", "1"]) }, now),
        true,
        "create",
      );
      sameRecord(await loaded(driver, id), { fields: fieldsOf(["a/x", "1"]) });
      assert.equal(await driver.commit(id, set("a/y", "2"), now), "committed", "commit");
      assert.equal(await driver.destroy(id, now), true, "destroy");
      assert.equal(
        await other.create(id, { expiresAt: now + HOUR, fields: fieldsOf() }, now),
        true,
        "create",
      );
    },
  },
  {
    rule: "R10.3",
    title: "what a driver acknowledged is there after that driver was closed",
    needs: "shared",
    async run(kit) {
      const { now } = kit;
      const first = await kit.open();
      const id = await begin(first, now, { fields: fieldsOf(["a/x", "1"]) });
      const ended = await begin(first, now);
      assert.equal(await first.commit(id, set("a/y", "2"), now), "committed", "commit");
      assert.equal(await first.destroy(ended, now), true, "destroy");
      await kit.close(first);
      const second = await kit.open();
      // A backend that evicts may have lost the record, but no part of it.
      const isLost = second.volatile === true && (await second.load(id)) === undefined;
      if (isLost) assert.equal(await second.commit(id, set("a/z", "3"), now), "gone", "commit");
      else sameRecord(await loaded(second, id), { version: 2, fields: fieldsOf(["a/x", "1"], ["a/y", "2"]) });
      assert.equal(await second.load(ended), undefined, "load");
    },
  },
];
