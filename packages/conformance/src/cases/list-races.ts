import * as assert from "../assert.ts";
import type { Case } from "../kit.ts";
import { idsOf, listAll, listing, listsExactly, queries } from "../paging.ts";
import { listsByPrincipal } from "../profile.ts";
import { begin, eventually, fieldsOf, HOUR, loaded, newId, set, together } from "../support.ts";

/** Listings that run beside other calls. */
export const listRaceCases: Case[] = [
  {
    rule: "R13.3",
    title: "a listing names each record that was there throughout, while others come and go",
    needs: "list",
    async run(kit) {
      const { now } = kit;
      const driver = listing(kit.driver);
      for (const query of queries(driver, "alice")) {
        const extra = await together(12, () => begin(driver, now, query));
        const stay = await together(20, () => begin(driver, now, query));
        extra.push(...(await together(12, () => begin(driver, now, query))));
        await eventually(driver.eventualList === true, async () => {
          const found = await listAll(driver, query, now, 4, async (records, page) => {
            // Stop creating after some pages, because a listing may also name records created after it began.
            if (page > 12) return;
            // Destroy the last record of the page as well, because the next page may continue from it.
            const last = extra.indexOf(records.at(-1)?.id ?? "");
            if (last >= 0) await driver.destroy(extra.splice(last, 1)[0] ?? "", now);
            for (const id of [extra.shift(), extra.pop()])
              if (id !== undefined) await driver.destroy(id, now);
            await begin(driver, now, query);
          });
          const listed = idsOf(found);
          const missing = stay.filter((id) => !listed.has(id));
          assert.deepEqual(missing, [], "records that were there all the time and are not in the listing");
        });
      }
    },
  },
  {
    rule: "R13.4",
    title: "a listing ends, and skips no record, while its records are read and written",
    needs: "list",
    async run(kit) {
      const { now } = kit;
      const driver = listing(kit.driver);
      const ids = await together(12, () => begin(driver, now, { principal: "alice" }));
      for (const query of queries(driver, "alice").reverse())
        await eventually(driver.eventualList === true, async () => {
          const seen: string[] = [];
          const found = await listAll(driver, query, now, 3, async (records, page) => {
            for (const { id } of records) {
              await loaded(driver, id);
              await driver.commit(
                id,
                { ...set("a/n", String(page)), expiresAt: now + HOUR + page * 1000 },
                now,
              );
            }
            // In an order by principal, this moves unread records to the front and read ones to the end.
            seen.push(...records.map((record) => record.id));
            if (query.principal === undefined)
              for (const id of ids) {
                await driver.commit(id, { fields: new Map(), principal: seen.includes(id) ? "z" : "a" }, now);
              }
          });
          assert.deepEqual([...idsOf(found)].sort(), [...ids].sort(), "the ids in the listing");
        });
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
  {
    rule: "R13.12",
    title: "a listing names the records that are being written while it reads",
    needs: "list",
    async run(kit) {
      const { now } = kit;
      const driver = listing(kit.driver);
      const ids = await together(10, () => begin(driver, now, { principal: "alice" }));
      await listsExactly(kit, { principal: "alice" }, ids);
      for (let round = 0; round < 5; round++) {
        // All begin in the same pass of the event loop, so that commits and listings overlap.
        const write = (name: string) =>
          together(10, (i) => driver.commit(ids[i] ?? "", set(`a/${name}`, String(round)), now));
        const read = () =>
          eventually(driver.eventualList === true, async () => {
            const found = idsOf(await listAll(driver, { principal: "alice" }, now, 4));
            assert.deepEqual(
              [...found].sort(),
              [...ids].sort(),
              "the listing must name records that are being written",
            );
          });
        await Promise.all([write("x"), read(), write("y"), read()]);
      }
    },
  },
  {
    rule: "R13.13",
    title: "after creates, logins, logouts and listings at once, every listing is right",
    needs: "list",
    async run(kit) {
      const { now } = kit;
      const driver = listing(kit.driver);
      const to = (id: string, principal: string | null) =>
        driver.commit(id, { fields: new Map(), principal }, now);
      const list = (principal: string) => listAll(driver, { principal }, now, 3);
      for (let round = 0; round < 5; round++) {
        const [alice, bob] = [`alice ${round}`, `bob ${round}`];
        const [moved, gone, anonymous] = await together(3, (i) =>
          begin(driver, now, i < 2 ? { principal: alice } : {}),
        );
        const [fresh] = [newId()];
        // Begun one after the other without waiting, as four tabs do. The last login wins.
        const [seen] = await Promise.all([
          list(alice),
          to(moved ?? "", bob),
          driver.create(fresh, { expiresAt: now + HOUR, principal: alice, fields: fieldsOf() }, now),
          list(alice),
          driver.destroy(gone ?? "", now),
          list(bob),
          to(anonymous ?? "", alice),
          list(alice),
        ]);
        for (const { principal } of seen)
          assert.equal(principal, alice, "a principal's listing must hold no other principal's record");
        await listsExactly(kit, { principal: bob }, [moved ?? ""]);
        await listsExactly(kit, { principal: alice }, [fresh, anonymous ?? ""]);
        // Change the principal and back, destroy and create again: a late removal from the index hits the newer entry.
        await Promise.all([to(fresh, bob), to(fresh, alice)]);
        const record = { expiresAt: now + HOUR, principal: alice, fields: fieldsOf() };
        await Promise.all([
          driver.destroy(anonymous ?? "", now),
          driver.create(anonymous ?? "", record, now),
        ]);
        const both = await Promise.all(
          [fresh, anonymous ?? ""].map(async (id) => ({ id, record: await driver.load(id) })),
        );
        const right = both.filter((each) => each.record?.principal === alice).map(({ id }) => id);
        await listsExactly(kit, { principal: alice }, right);
      }
    },
  },
  {
    rule: "R13.14",
    title: "two listings at once do not disturb each other",
    needs: "list",
    async run(kit) {
      const { driver, now } = kit;
      const ids = await together(8, (i) => begin(driver, now, { principal: i < 4 ? "alice" : "bob" }));
      const alices = ids.slice(0, 4);
      for (const query of queries(driver, "alice")) {
        const expected = query.principal === undefined ? ids : alices;
        await listsExactly(kit, query, expected);
        const outer = await listAll(listing(driver), query, now, 2, async () => {
          await listsExactly(kit, { principal: "alice" }, alices, { limit: 1 });
        });
        assert.deepEqual([...idsOf(outer)].sort(), [...expected].sort(), "the ids in the listing");
      }
      await Promise.all([
        listsExactly(kit, { principal: "alice" }, alices, { limit: 1 }),
        listsExactly(kit, { principal: "alice" }, alices, { limit: 2 }),
        listsExactly(kit, { principal: "bob" }, ids.slice(4), { limit: 1 }),
        ...(listsByPrincipal(driver) ? [] : [listsExactly(kit, {}, ids, { limit: 3 })]),
      ]);
    },
  },
];
