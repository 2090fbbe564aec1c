import * as assert from "../assert.ts";
import type { Case } from "../kit.ts";
import { idsOf, listAll, listing, listsExactly, queries } from "../paging.ts";
import { listsByPrincipal } from "../profile.ts";
import {
  begin,
  eventually,
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
import { oddPrincipals } from "../texts.ts";

export const listCases: Case[] = [
  {
    rule: "R13.1",
    title: "a listing pages through every live record, whatever the limit",
    needs: "everyone",
    async run(kit) {
      const { driver, now } = kit;
      await listsExactly(kit, {}, []);
      const ids = await together(23, (i) => begin(driver, now, i % 2 === 0 ? { principal: "alice" } : {}));
      for (const limit of [1, 4, 23, 1_000]) await listsExactly(kit, {}, ids, { limit });
      // More records, and more bytes, than most backends return in one reply.
      ids.push(...(await together(130, () => begin(driver, now))));
      const fields = fieldsOf(["a/large", "x".repeat(Math.min(400_000, kit.maxBytes - 4_096))]);
      ids.push(...(await together(5, () => begin(driver, now, { fields }))));
      await listsExactly(kit, {}, ids, { limit: 1_000 });
      // Expired records between the live ones: a listing may name them, and they may fill a page.
      const apart = listing(await kit.openApart((namespace) => `${namespace}x`));
      const live: string[] = [];
      for (let i = 0; i < 18; i++)
        if (i % 3 === 0) live.push(await begin(apart, now));
        else await leave(apart, now);
      for (const limit of [1, 4])
        await eventually(apart.eventualList === true, async () => {
          const found = idsOf(await listAll(apart, {}, now, limit));
          const missing = live.filter((id) => !found.has(id));
          assert.deepEqual(missing, [], "live records between expired ones that are not in the listing");
        });
    },
  },
  {
    rule: "R13.2",
    title: "a listed record is whole: id, version, expiry, principal and fields",
    needs: "list",
    async run(kit) {
      const { now } = kit;
      const driver = listing(kit.driver);
      const principal = " alice ";
      const fields = manyFields(kit, 300, " 1 ", 2).set("a/x", "1").set("a/long", "x".repeat(20_000));
      const record = { expiresAt: now + HOUR, principal, fields };
      const id = await begin(driver, now, record);
      await driver.commit(id, set("a/y", "2"), now);
      const expected = { version: 2, ...record, fields: new Map(fields).set("a/y", "2") };
      for (const query of queries(driver, principal))
        await eventually(driver.eventualList === true, async () => {
          const records = await listAll(driver, query, now, 10);
          const [found] = records;
          assert.deepEqual([...idsOf(records)], [id], "the ids in the listing");
          assert.ok(found, "the listing must name the one record, not none");
          for (const each of records) sameRecord(each, expected);
          const before = await loaded(driver, id);
          if (found.fields instanceof Map) found.fields.clear();
          sameRecord(await loaded(driver, id), before);
        });
      // What has changed since the last listing, and more records than most backends read by their ids at once.
      const more = { expiresAt: now + 2 * HOUR, principal, fields: fieldsOf(["a/n", "1"]) };
      await together(105, () => begin(driver, now, { ...more, fields: new Map(more.fields) }));
      await driver.commit(id, touch(now + 3 * HOUR), now);
      const { version, expiresAt } = await loaded(driver, id);
      const touched = { ...expected, version, expiresAt };
      await eventually(driver.eventualList === true, async () => {
        const records = await listAll(driver, { principal }, now, 1_000);
        assert.equal(idsOf(records).size, 106, "the number of records in the listing");
        for (const each of records) sameRecord(each, each.id === id ? touched : { version: 1, ...more });
      });
    },
  },
  {
    rule: "R13.5",
    title: "a principal's listing names that principal's records alone, compared byte by byte",
    needs: "list",
    async run(kit) {
      const { driver, now } = kit;
      await begin(driver, now);
      const ids = await Promise.all(oddPrincipals.map((principal) => begin(driver, now, { principal })));
      await Promise.all(
        oddPrincipals.map((principal, i) => listsExactly(kit, { principal }, [ids[i] ?? ""])),
      );
      for (const principal of ["bob", "alic", "alicex", "%", "a"]) await listsExactly(kit, { principal }, []);
    },
  },
  {
    rule: "R13.6",
    title: "a principal's listing pages through all of its live records",
    needs: "list",
    async run(kit) {
      const { driver, now } = kit;
      const ids = await together(23, () => begin(driver, now, { principal: "alice" }));
      await together(23, () => begin(driver, now, { principal: "bob" }));
      for (const limit of [1, 4, 1_000]) await listsExactly(kit, { principal: "alice" }, ids, { limit });
    },
  },
  {
    rule: "R13.7",
    title: "a commit that sets, changes or clears the principal moves the record to the right listing",
    needs: "list",
    async run(kit) {
      const { driver, now } = kit;
      const id = await begin(driver, now);
      const to = async (principal: string | null) =>
        assert.equal(await driver.commit(id, { fields: new Map(), principal }, now), "committed", "commit");
      await to("alice");
      await listsExactly(kit, { principal: "alice" }, [id]);
      await to("bob");
      await listsExactly(kit, { principal: "bob" }, [id]);
      await listsExactly(kit, { principal: "alice" }, []);
      await to(null);
      await listsExactly(kit, { principal: "bob" }, []);
      await to("alice");
      await listsExactly(kit, { principal: "alice" }, [id]);
      // Together with other changes, and in a commit that changes nothing.
      const { version: ifVersion } = await loaded(driver, id);
      const change = { fields: new Map([["a/x", null]]), expiresAt: now + 2 * HOUR, principal: "dave" };
      assert.equal(await driver.commit(id, { ...change, ifVersion }, now), "committed", "commit");
      await listsExactly(kit, { principal: "dave" }, [id]);
      for (const principal of ["dave", "carol", null])
        assert.equal(await driver.commit(id, { ...change, principal, ifVersion }, now), "conflict", "commit");
      await listsExactly(kit, { principal: "dave" }, [id]);
      await listsExactly(kit, { principal: "carol" }, []);
      await to("alice");
      const other = await begin(driver, now, { principal: "alice" });
      await to(null);
      await listsExactly(kit, { principal: "alice" }, [other]);
    },
  },
  {
    rule: "R13.8",
    title: "a principal's listing names no record that is expired by the caller's clock",
    needs: "list",
    async run(kit) {
      const { driver, now } = kit;
      await leave(driver, now, { principal: "alice" });
      const ended = await begin(driver, now, { principal: "alice" });
      await driver.commit(ended, touch(now - MINUTE), now);
      const last = await begin(driver, now - MINUTE, { principal: "alice", expiresAt: now });
      await listsExactly(kit, { principal: "alice" }, [last], { now: now - 1 });
      await listsExactly(kit, { principal: "alice" }, []);
      const extended = await begin(driver, now - MINUTE, { principal: "alice", expiresAt: now });
      await driver.commit(extended, touch(now + HOUR), now - 1);
      await listsExactly(kit, { principal: "alice" }, [extended]);
      await driver.sweep({ after: 0, before: now, limit: 100 });
      await listsExactly(kit, { principal: "alice" }, [extended]);
      // A caller whose clock is ahead sees no record, and must not hide them from other callers.
      await listsExactly(kit, { principal: "alice" }, [], { now: now + 2 * HOUR });
      await listsExactly(kit, { principal: "alice" }, [extended]);
    },
  },
  {
    rule: "R13.9",
    title: "no listing names a destroyed record",
    needs: "list",
    async run(kit) {
      const { driver, now } = kit;
      const id = await begin(driver, now, { principal: "alice" });
      const kept = await begin(driver, now, { principal: "alice" });
      await driver.destroy(id, now);
      await listsExactly(kit, { principal: "alice" }, [kept]);
      if (!listsByPrincipal(driver)) await listsExactly(kit, {}, [kept]);
      assert.equal(
        await driver.create(id, { expiresAt: now + HOUR, principal: "alice", fields: fieldsOf() }, now),
        true,
        "create",
      );
      await listsExactly(kit, { principal: "alice" }, [kept, id]);
    },
  },
  {
    rule: "R13.15",
    title: "a principal's listing names each record once, while nothing changes",
    needs: "list",
    async run(kit) {
      const { now } = kit;
      const driver = listing(kit.driver);
      const principal = "alice";
      const create = (id: string | undefined) =>
        driver.create(id ?? "", { expiresAt: now + HOUR, principal, fields: fieldsOf() }, now);
      const ids = await together(6, () => begin(driver, now, { principal }));
      // Some have come into the listing in other ways, and more than once.
      await driver.commit(ids[0] ?? "", { fields: new Map(), principal }, now);
      for (const name of ["bob", principal])
        await driver.commit(ids[1] ?? "", { fields: new Map(), principal: name }, now);
      await driver.destroy(ids[2] ?? "", now);
      await create(ids[2]);
      ids.push(newId());
      await Promise.allSettled(Array.from({ length: 4 }, () => create(ids[6])));
      for (const limit of [1, 3, 100])
        await eventually(driver.eventualList === true, async () => {
          const found = (await listAll(driver, { principal }, now, limit)).map(({ id }) => id);
          assert.deepEqual(found.sort(), [...ids].sort(), "the ids in the listing, each once");
        });
    },
  },
];
