import assert from "node:assert/strict";
import type { Case } from "../kit.ts";
import { idsOf, listAll, listing, listsExactly } from "../paging.ts";
import {
  begin,
  eventually,
  fieldsOf,
  HOUR,
  leave,
  loaded,
  MINUTE,
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
    needs: "list",
    async run(kit) {
      const { driver, now } = kit;
      await listsExactly(kit, {}, []);
      const ids = await together(23, (i) => begin(driver, now, i % 2 === 0 ? { principal: "alice" } : {}));
      for (const limit of [1, 4, 23, 1_000]) await listsExactly(kit, {}, ids, { limit });
    },
  },
  {
    rule: "R13.2",
    title: "a listed record is whole: id, version, expiry, principal and fields",
    needs: "list",
    async run(kit) {
      const { now } = kit;
      const driver = listing(kit.driver);
      const record = { expiresAt: now + HOUR, principal: "alice", fields: fieldsOf(["a/x", "1"]) };
      const id = await begin(driver, now, record);
      await driver.commit(id, set("a/y", "2"), now);
      const expected = { version: 2, ...record, fields: fieldsOf(["a/x", "1"], ["a/y", "2"]) };
      for (const query of [{}, { principal: "alice" }])
        await eventually(driver.eventualList === true, async () => {
          const [found, ...more] = await listAll(driver, query, now, 10);
          assert.ok(found && more.length === 0, "the listing must name the one record once");
          assert.equal(found.id, id);
          sameRecord(found, expected);
        });
    },
  },
  {
    rule: "R13.3",
    title: "a listing names each record that was there throughout, while others come and go",
    needs: "list",
    async run(kit) {
      const { now } = kit;
      const driver = listing(kit.driver);
      for (const query of [{}, { principal: "alice" }]) {
        const extra = await together(12, () => begin(driver, now, query));
        const stay = await together(20, () => begin(driver, now, query));
        extra.push(...(await together(12, () => begin(driver, now, query))));
        await eventually(driver.eventualList === true, async () => {
          const found = await listAll(driver, query, now, 4, async (_, page) => {
            // Not for ever: a listing may name what came after it began.
            if (page > 12) return;
            await driver.destroy(extra.shift() ?? "", now);
            await driver.destroy(extra.pop() ?? "", now);
            await begin(driver, now, query);
          });
          for (const id of stay) assert.ok(idsOf(found).has(id), "a record was passed over");
        });
      }
    },
  },
  {
    rule: "R13.4",
    title: "a listing ends, and passes nothing over, while its records are read and written",
    needs: "list",
    async run(kit) {
      const { now } = kit;
      const driver = listing(kit.driver);
      const ids = await together(12, () => begin(driver, now, { principal: "alice" }));
      for (const query of [{}, { principal: "alice" }])
        await eventually(driver.eventualList === true, async () => {
          const found = await listAll(driver, query, now, 3, async (records, page) => {
            for (const { id } of records) {
              await loaded(driver, id);
              await driver.commit(
                id,
                { ...set("a/n", String(page)), expiresAt: now + HOUR + page * 1000 },
                now,
              );
            }
          });
          assert.deepEqual([...idsOf(found)].sort(), [...ids].sort());
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
      for (const [i, principal] of oddPrincipals.entries())
        await listsExactly(kit, { principal }, [ids[i] ?? ""]);
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
        assert.equal(await driver.commit(id, { fields: new Map(), principal }, now), "committed");
      await to("alice");
      await listsExactly(kit, { principal: "alice" }, [id]);
      await to("bob");
      await listsExactly(kit, { principal: "bob" }, [id]);
      await listsExactly(kit, { principal: "alice" }, []);
      await to(null);
      await listsExactly(kit, { principal: "bob" }, []);
      await to("alice");
      await listsExactly(kit, { principal: "alice" }, [id]);
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
      await listsExactly(kit, {}, [kept]);
    },
  },
  {
    rule: "R13.10",
    title: "concurrent logins of one principal are all listed",
    needs: "list",
    async run(kit) {
      const { driver, now } = kit;
      const ids = await together(30, async (i) => {
        if (i % 2 === 0) return begin(driver, now, { principal: "alice" });
        const id = await begin(driver, now);
        await driver.commit(id, { fields: new Map(), principal: "alice" }, now);
        return id;
      });
      await listsExactly(kit, { principal: "alice" }, ids);
    },
  },
];
