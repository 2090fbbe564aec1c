import type { Change } from "@sessions/core";
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
  sizes,
  touch,
} from "../support.ts";

export const commitCases: Case[] = [
  {
    rule: "R3.1",
    title: "a commit sets the fields it names, deletes those it names null, keeps the others",
    async run({ driver, now }) {
      const id = await begin(driver, now, {
        fields: fieldsOf(["a/keep", "1"], ["a/set", "2"], ["a/drop", "3"]),
      });
      const patch = new Map([
        ["a/set", "changed"],
        ["a/new", "4"],
        ["a/drop", null],
      ]);
      assert.equal(await driver.commit(id, { fields: patch }, now), "committed", "commit");
      sameFields(
        (await loaded(driver, id)).fields,
        fieldsOf(["a/keep", "1"], ["a/set", "changed"], ["a/new", "4"]),
      );
      assert.equal(await driver.commit(id, set("a/drop", "back"), now), "committed", "commit");
      assert.equal((await loaded(driver, id)).fields.get("a/drop"), "back", "field a/drop");
      const alike = await begin(driver, now, {
        fields: fieldsOf(["a/b", "1"], ["a/bc", "2"], ["a/b/c", "3"], ["aa/b", "4"]),
      });
      await driver.commit(alike, { fields: new Map([["a/b", null]]) }, now);
      sameFields(
        (await loaded(driver, alike)).fields,
        fieldsOf(["a/bc", "2"], ["a/b/c", "3"], ["aa/b", "4"]),
      );
    },
  },
  {
    rule: "R3.2",
    title: "expiry, principal and fields that a commit does not name stay as they are",
    async run({ driver, now }) {
      const record = { expiresAt: now + HOUR, principal: "alice", fields: fieldsOf(["a/x", "1"]) };
      const id = await begin(driver, now, record);
      await driver.commit(id, { fields: new Map(), principal: "bob" }, now);
      sameRecord(await loaded(driver, id), { ...record, principal: "bob" });
      await driver.commit(id, touch(now + 2 * HOUR), now);
      sameRecord(await loaded(driver, id), { ...record, principal: "bob", expiresAt: now + 2 * HOUR });
      const absent = { expiresAt: undefined, principal: undefined, ifVersion: undefined };
      assert.equal(await driver.commit(id, { ...set("a/x", "2"), ...absent }, now), "committed", "commit");
      const last = { principal: "bob", expiresAt: now + 2 * HOUR, fields: fieldsOf(["a/x", "2"]) };
      sameRecord(await loaded(driver, id), last);
      // Past the life that the record had when the field was written.
      const short = await begin(driver, now, {
        ...record,
        expiresAt: now + MINUTE,
        fields: fieldsOf(["a/x", "1"]),
      });
      await driver.commit(short, touch(now + HOUR), now);
      assert.equal(await driver.commit(short, set("a/y", "1"), now + 2 * MINUTE), "committed", "commit");
      sameRecord(await loaded(driver, short), { ...record, fields: fieldsOf(["a/x", "1"], ["a/y", "1"]) });
    },
  },
  {
    rule: "R3.3",
    title: "one commit changes fields, expiry and principal together; a null principal clears it",
    async run({ driver, now }) {
      const id = await begin(driver, now, { fields: fieldsOf(["a/x", "1"]) });
      const change = { ...set("a/x", "2"), expiresAt: now + 2 * HOUR, principal: "alice" };
      assert.equal(await driver.commit(id, change, now), "committed", "commit");
      const set1 = { expiresAt: now + 2 * HOUR, principal: "alice", fields: fieldsOf(["a/x", "2"]) };
      sameRecord(await loaded(driver, id), set1);
      const clear = { fields: new Map([["a/x", null]]), expiresAt: now + HOUR, principal: null };
      assert.equal(await driver.commit(id, clear, now), "committed", "commit");
      sameRecord(await loaded(driver, id), {
        expiresAt: now + HOUR,
        principal: undefined,
        fields: fieldsOf(),
      });
      // The same where the version is compared.
      for (const principal of ["bob", null]) {
        const { version: ifVersion } = await loaded(driver, id);
        assert.equal(
          await driver.commit(id, { ...set("a/x", "3"), principal, ifVersion }, now),
          "committed",
          "commit",
        );
        sameRecord(await loaded(driver, id), {
          principal: principal ?? undefined,
          fields: fieldsOf(["a/x", "3"]),
        });
      }
    },
  },
  {
    rule: "R3.9",
    title: "a commit that leaves a live record as it was is still committed",
    async run({ driver, now }) {
      const record = { expiresAt: now + HOUR, principal: "alice", fields: fieldsOf(["a/x", "1"]) };
      const id = await begin(driver, now, record);
      const changes: Change[] = [
        { fields: new Map() },
        touch(now + HOUR),
        set("a/x", "1"),
        { fields: new Map([["a/absent", null]]) },
        { fields: new Map(), principal: "alice" },
      ];
      for (const change of changes) {
        assert.equal(await driver.commit(id, change, now), "committed", "commit");
        sameRecord(await loaded(driver, id), record);
      }
    },
  },
  {
    rule: "R3.14",
    title: "a commit does all of what it names, however many fields that are",
    async run(kit) {
      const { driver, now } = kit;
      const id = await begin(driver, now, { fields: fieldsOf(["a/keep", "1"]) });
      for (const [i, size] of sizes.entries()) {
        const fields = manyFields(kit, size, String(i), 1);
        const change = { expiresAt: now + HOUR + i * 1000, principal: i % 2 === 0 ? `user ${i}` : null };
        const patch = new Map<string, string | null>([["a/drop", null], ...fields]);
        assert.equal(await driver.commit(id, set("a/drop", "1"), now), "committed", "commit");
        assert.equal(await driver.commit(id, { ...change, fields: patch }, now), "committed", "commit");
        sameRecord(await loaded(driver, id), {
          ...change,
          principal: change.principal ?? undefined,
          fields: new Map([["a/keep", "1"], ...fields]),
        });
      }
      // One more, in a record that holds many.
      assert.equal(await driver.commit(id, set("a/last", "1"), now), "committed", "commit");
      assert.equal((await loaded(driver, id)).fields.get("a/last"), "1", "field a/last");
      // Whatever else it names: a driver may keep a statement for each shape of a change.
      const shaped = await begin(driver, now);
      for (const size of [0, 1, 600])
        for (let shape = 0; shape < 8; shape++) {
          const was = await loaded(driver, shaped);
          const [text, hour] = [`${size} ${shape}`, now + HOUR + (size + shape) * 1000];
          const fields = manyFields(kit, size, text);
          const principal = (shape & 1) === 0 ? undefined : text;
          const expiresAt = (shape & 2) === 0 ? undefined : hour;
          const change: Change = {
            fields,
            principal,
            expiresAt,
            ifVersion: (shape & 4) === 0 ? undefined : was.version,
          };
          assert.equal(await driver.commit(shaped, change, now), "committed", `commit ${text}`);
          sameRecord(await loaded(driver, shaped), {
            expiresAt: expiresAt ?? was.expiresAt,
            principal: principal ?? was.principal,
            fields: new Map([...was.fields, ...fields]),
          });
        }
    },
  },
  {
    rule: "R3.15",
    title: "the commit that is acknowledged last is the one that shows, whatever its caller's clock",
    async run({ driver, now }) {
      const id = await begin(driver, now);
      for (const [i, at] of [now, now - 1_000, now - MINUTE, now + 1_000, now].entries()) {
        const [expiresAt, principal] = [now + HOUR + i * 1_000, `user ${i}`];
        assert.equal(
          await driver.commit(id, { ...set("a/x", String(i)), expiresAt, principal }, at),
          "committed",
          "commit",
        );
        sameRecord(await loaded(driver, id), { fields: fieldsOf(["a/x", String(i)]), expiresAt, principal });
        for (const [later, moved] of [now + 2 * HOUR - i * 1_000, now + 3 * HOUR + i * 1_000].entries()) {
          assert.equal(await driver.commit(id, touch(moved), at - later * 1_000), "committed", "commit");
          sameRecord(await loaded(driver, id), { expiresAt: moved });
        }
      }
    },
  },
];
