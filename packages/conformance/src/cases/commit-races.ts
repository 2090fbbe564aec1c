import type { Driver, StoredRecord } from "@sessions/core";
import * as assert from "../assert.ts";
import type { Case } from "../kit.ts";
import {
  begin,
  crowd,
  fieldsOf,
  HOUR,
  loaded,
  manyFields,
  sameFields,
  sameRecord,
  set,
  severalDrivers,
  together,
  touch,
  yieldToEventLoop,
} from "../support.ts";

/** Up to a hundred commits at once, each to a different field. None may be lost. */
async function allSurvive(drivers: (i: number) => Driver, now: number): Promise<void> {
  const id = await begin(drivers(0), now, { fields: fieldsOf(["a/first", "1"]) });
  const count = await crowd(drivers(0), 100);
  const outcomes = await together(count, (i) => drivers(i).commit(id, set(`b/${i}`, `text ${i}`), now));
  assert.deepEqual(new Set(outcomes), new Set(["committed"]), "the results of commit");
  const expected = fieldsOf(["a/first", "1"]);
  for (let i = 0; i < count; i++) expected.set(`b/${i}`, `text ${i}`);
  sameFields((await loaded(drivers(0), id)).fields, expected);
}

/** Loads in a loop while `write` writes. `check` judges each loaded record. */
async function readWhile(
  driver: Driver,
  id: string,
  write: () => Promise<void>,
  check: (record: StoredRecord) => void,
): Promise<void> {
  let writing = true;
  const writer = write().finally(() => {
    writing = false;
  });
  const reader = async () => {
    while (writing) {
      check(await loaded(driver, id));
      await yieldToEventLoop();
    }
  };
  await Promise.all([writer, reader(), reader()]);
  check(await loaded(driver, id));
}

/** Commits beside other calls. */
export const commitRaceCases: Case[] = [
  {
    rule: "R3.4",
    title: "concurrent commits to different fields all survive",
    async run({ driver, now }) {
      await allSurvive(() => driver, now);
    },
  },
  {
    rule: "R3.5",
    title: "concurrent commits through several drivers on one backend all survive",
    needs: "shared",
    async run(kit) {
      await allSurvive(await severalDrivers(kit), kit.now);
    },
  },
  {
    rule: "R3.6",
    title: "no reader sees half of a commit: two fields, expiry and principal always agree",
    async run({ driver, now }) {
      // Each commit sets one of two fields and deletes the other.
      const change = (n: number) => ({
        ...state(n),
        fields: new Map<string, string | null>([
          ["a/n", `${n}`],
          [n % 2 === 0 ? "a/odd" : "a/even", null],
          [n % 2 === 0 ? "a/even" : "a/odd", `${n}`],
        ]),
      });
      const state = (n: number) => ({
        fields: fieldsOf(["a/n", `${n}`], [n % 2 === 0 ? "a/even" : "a/odd", `${n}`]),
        expiresAt: now + HOUR + n * 1000,
        principal: `user ${n}`,
      });
      const id = await begin(driver, now, state(0));
      const write = async () => {
        for (let n = 1; n <= 40; n++) await driver.commit(id, change(n), now);
      };
      await readWhile(driver, id, write, (record) =>
        sameRecord(record, state(Number(record.fields.get("a/n")))),
      );
    },
  },
  {
    rule: "R3.7",
    title: "a commit of a thousand fields is as atomic as a small one",
    async run(kit) {
      const { driver, now } = kit;
      const id = await begin(driver, now, { fields: manyFields(kit, 1_000, "0") });
      const write = async () => {
        for (let n = 1; n <= 4; n++)
          await driver.commit(id, { fields: manyFields(kit, 1_000, String(n)) }, now);
      };
      await readWhile(driver, id, write, ({ fields }) =>
        sameFields(fields, manyFields(kit, 1_000, fields.get("many/0") ?? "")),
      );
    },
  },
  {
    rule: "R3.8",
    title: "concurrent commits to the same fields leave one commit's texts, never a mixture",
    async run({ driver, now }) {
      const id = await begin(driver, now);
      const names = ["a/x", "b/x", "c/x", "d/x"];
      // Each commit names the fields in another order, so that drivers which lock field by field run into a deadlock.
      const fields = (i: number) => {
        const order = [...names.slice(i % 4), ...names.slice(0, i % 4)];
        return new Map(order.map((name) => [name, String(i)]));
      };
      const outcomes = await together(await crowd(driver, 40), (i) =>
        driver.commit(id, { fields: fields(i) }, now),
      );
      assert.deepEqual(new Set(outcomes), new Set(["committed"]), "the results of commit");
      const record = await loaded(driver, id);
      sameFields(record.fields, fields(Number(record.fields.get("a/x"))));
    },
  },
  {
    rule: "R3.10",
    title: "a commit of thousands of fields and small ones at the same time all survive",
    async run(kit) {
      const { driver, now } = kit;
      const id = await begin(driver, now);
      const large = manyFields(kit, 3_000, "large");
      const outcomes = await together(21, (i) =>
        driver.commit(id, i === 5 ? { fields: large } : set(`small/${i}`, "small"), now),
      );
      assert.deepEqual(new Set(outcomes), new Set(["committed"]), "the results of commit");
      const expected = new Map(large);
      for (let i = 0; i <= 20; i++) if (i !== 5) expected.set(`small/${i}`, "small");
      sameFields((await loaded(driver, id)).fields, expected);
    },
  },
  {
    rule: "R3.16",
    title: "commits that race with a destroy and a create mix no record with its successor",
    async run({ driver, now }) {
      const record = { expiresAt: now + HOUR, fields: fieldsOf(["a/new", "1"]) };
      // The first round has no commits: if create itself keeps old fields, that is another rule's fault to report.
      for (let round = 0; round < 10; round++) {
        const id = await begin(driver, now, { fields: fieldsOf(["a/old", "1"]) });
        const commit = (name: string) => round > 0 && driver.commit(id, set(name, "1"), now);
        const [outcome, , created] = await Promise.all([
          commit("a/x"),
          driver.destroy(id, now),
          driver.create(id, record, now),
          commit("a/y"),
        ]);
        if (!created) continue;
        // Both records have version 1, so a driver that reads, merges and compares versions confuses them.
        const { fields } = await loaded(driver, id);
        if (round === 0 && fields.has("a/old")) return;
        assert.equal(
          fields.get("a/old"),
          undefined,
          "a destroyed record's field must not be in its successor",
        );
        assert.equal(fields.get("a/new"), "1", "the new record's field must be there");
        if (outcome === "gone")
          assert.equal(fields.get("a/x"), undefined, "a commit that returned gone must leave nothing");
      }
    },
  },
  {
    rule: "R3.17",
    title: "a touch among concurrent commits is committed, and moves the expiry",
    async run({ driver, now }) {
      for (let round = 1; round <= 5; round++) {
        const id = await begin(driver, now);
        const outcomes = await together(9, (i) =>
          driver.commit(id, i === 4 ? touch(now + HOUR + round * 1_000) : set(`a/${i}`, "1"), now),
        );
        assert.deepEqual(new Set(outcomes), new Set(["committed"]), "the results of commit");
        const { expiresAt, fields } = await loaded(driver, id);
        assert.equal(expiresAt, now + HOUR + round * 1_000, "expiresAt after the touch");
        assert.equal(fields.size, 8, "the number of fields");
      }
    },
  },
];
