import type { Driver } from "@sessions/core";
import * as assert from "../assert.ts";
import type { Case, Kit } from "../kit.ts";
import { listsExactly } from "../paging.ts";
import { listsByPrincipal } from "../profile.ts";
import {
  begin,
  fieldsOf,
  HOUR,
  leave,
  loaded,
  lookAlikes,
  MINUTE,
  newId,
  sameFields,
  sameRecord,
  set,
  together,
  touch,
} from "../support.ts";
import { oddPrincipals } from "../texts.ts";

/** Opens the drivers one after the other, so that none is still being opened when the case ends. */
async function apart(kit: Kit): Promise<Driver[]> {
  const drivers: Driver[] = [];
  for (const rename of lookAlikes) drivers.push(await kit.openApart(rename));
  return drivers;
}

export const isolationCases: Case[] = [
  {
    rule: "R14.1",
    title: "two namespaces share nothing, even where one's name begins with the other's",
    async run(kit) {
      const { driver, now } = kit;
      const id = newId();
      const others = await apart(kit);
      for (const [i, other] of [driver, ...others].entries()) {
        assert.equal(await other.load(id), undefined, "a namespace must not see another's record");
        const record = { expiresAt: now + HOUR, fields: fieldsOf(["a/n", String(i)]) };
        assert.equal(await other.create(id, record, now), true, "create");
      }
      await others[0]?.commit(id, set("a/more", "1"), now);
      await others[1]?.destroy(id, now);
      await others[2]?.commit(id, touch(now + 2 * HOUR), now);
      sameRecord(await loaded(driver, id), {
        version: 1,
        expiresAt: now + HOUR,
        fields: fieldsOf(["a/n", "0"]),
      });
    },
  },
  {
    rule: "R14.2",
    title: "a sweep in one namespace removes nothing of another",
    async run(kit) {
      const { driver, now } = kit;
      const others = await apart(kit);
      const live = await Promise.all(others.map((other) => begin(other, now)));
      const dead = await Promise.all(others.map((other) => leave(other, now)));
      const before = await Promise.all(others.map((other, i) => other.load(dead[i] ?? "")));
      await leave(driver, now);
      await driver.sweep({ after: 0, before: now + 2 * HOUR, limit: 100 });
      for (const [i, other] of others.entries()) {
        await loaded(other, live[i] ?? "");
        // Load may hide an expired record, but then it must have hidden it before the sweep as well.
        assert.deepEqual(await other.load(dead[i] ?? ""), before[i], "load");
      }
    },
  },
  {
    rule: "R14.3",
    title: "a listing names no record of another namespace",
    needs: "list",
    async run(kit) {
      const { driver, now } = kit;
      const id = await begin(driver, now, { principal: "alice" });
      const record = { expiresAt: now + HOUR, principal: "alice", fields: fieldsOf() };
      for (const other of await apart(kit)) {
        await begin(other, now, { principal: "alice" });
        // Create and destroy the same id and principal here: a shared index then loses the first namespace's entry.
        assert.equal(await other.create(id, record, now), true, "create");
        assert.equal(await other.destroy(id, now), true, "destroy");
      }
      await listsExactly(kit, { principal: "alice" }, [id]);
      if (!listsByPrincipal(kit.driver)) await listsExactly(kit, {}, [id]);
    },
  },
  {
    rule: "R14.4",
    title: "ids that differ in one character, or look like equal numbers, name different records",
    async run({ driver, now }) {
      const stem = newId().slice(1);
      const zeros = "0".repeat(30);
      const ids = [`${stem}a`, `${stem}b`, `a${stem}`, `b${stem}`, `${zeros}10`, `${zeros}e1`, `${zeros}e2`];
      ids.push(`${"0".repeat(29)}1e1`);
      for (const id of ids) {
        const record = { expiresAt: now + HOUR, fields: fieldsOf(["a/id", id]) };
        assert.equal(
          await driver.create(id, record, now),
          true,
          `create of ${id} must return true: no record has exactly this id`,
        );
      }
      for (const id of ids.filter((_, i) => i % 2 === 0))
        assert.equal(await driver.commit(id, set("a/more", id), now), "committed", "commit");
      assert.equal(await driver.destroy(ids[1] ?? "", now), true, "destroy");
      for (const [i, id] of ids.entries()) {
        if (i === 1) continue;
        const expected = fieldsOf(["a/id", id]);
        if (i % 2 === 0) expected.set("a/more", id);
        sameFields((await loaded(driver, id)).fields, expected);
      }
    },
  },
  {
    rule: "R14.5",
    title: "principals come back byte by byte: spaces at the end, case, composition, 255 bytes",
    async run({ driver, now }) {
      await Promise.all(
        oddPrincipals.map(async (principal) => {
          sameRecord(await loaded(driver, await begin(driver, now, { principal })), { principal });
          const id = await begin(driver, now);
          assert.equal(await driver.commit(id, { fields: new Map(), principal }, now), "committed", "commit");
          sameRecord(await loaded(driver, id), { principal });
        }),
      );
    },
  },
  {
    rule: "R14.6",
    title: "what happens to one record happens to no other",
    async run({ driver, now }) {
      const record = { principal: "alice", fields: fieldsOf(["a/x", "1"]) };
      const bystander = await begin(driver, now, record);
      const id = await begin(driver, now, record);
      await driver.commit(id, { ...set("a/x", "2"), principal: "bob", expiresAt: now + MINUTE }, now);
      await driver.destroy(id, now);
      // A record that differs from the others only by its id.
      await driver.destroy(await begin(driver, now, record), now);
      sameRecord(await loaded(driver, bystander), { version: 1, expiresAt: now + HOUR, ...record });
      // Commit to all at once: a driver must lock, or write back, only the one record.
      const ids = await together(12, () => begin(driver, now, { ...record, fields: fieldsOf(["a/x", "1"]) }));
      for (let round = 0; round < 4; round++)
        await together(12, (i) => driver.commit(ids[i] ?? "", set(`b/${round}`, String(i)), now));
      for (const [i, each] of ids.entries()) {
        const fields = fieldsOf(["a/x", "1"]);
        for (let round = 0; round < 4; round++) fields.set(`b/${round}`, String(i));
        sameRecord(await loaded(driver, each), {
          version: 5,
          expiresAt: now + HOUR,
          principal: "alice",
          fields,
        });
      }
    },
  },
  {
    rule: "R14.9",
    title: "calls in several namespaces at once act each in its own",
    async run(kit) {
      const { now } = kit;
      const drivers = [kit.driver, ...(await apart(kit))];
      const ids = Array.from({ length: 6 }, newId);
      const record = (name: string) => ({ expiresAt: now + HOUR, fields: fieldsOf(["a/in", name]) });
      // The same ids in all of them, the drivers in turn.
      const everywhere = <T>(call: (driver: Driver, id: string, name: string) => Promise<T>): Promise<T[]> =>
        Promise.all(ids.flatMap((id) => drivers.map((driver, i) => call(driver, id, String(i)))));
      const created = await everywhere((driver, id, name) => driver.create(id, record(name), now));
      assert.deepEqual(new Set(created), new Set([true]), "the results of create");
      const committed = await everywhere((driver, id, name) => driver.commit(id, set("a/too", name), now));
      assert.deepEqual(new Set(committed), new Set(["committed"]), "the results of commit");
      await everywhere(async (driver, id, name) =>
        sameRecord(await loaded(driver, id), {
          version: 2,
          fields: fieldsOf(["a/in", name], ["a/too", name]),
        }),
      );
      const destroyed = await everywhere((driver, id) => driver.destroy(id, now));
      assert.deepEqual(new Set(destroyed), new Set([true]), "the results of destroy");
    },
  },
];
