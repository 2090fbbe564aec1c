import type { Change, Driver, StoredRecord } from "@sessions/core";
import * as assert from "../assert.ts";
import type { Case } from "../kit.ts";
import {
  begin,
  crowd,
  eventually,
  fieldsOf,
  HOUR,
  loaded,
  manyFields,
  set,
  together,
  touch,
} from "../support.ts";

/** Makes the commits one after the other, and returns by how much each raises the version. */
async function growth(
  driver: Driver,
  id: string,
  changes: readonly Change[],
  now: number,
): Promise<number[]> {
  const grown: number[] = [];
  for (const change of changes) {
    const { version } = await loaded(driver, id);
    await driver.commit(id, change, now);
    grown.push((await loaded(driver, id)).version - version);
  }
  return grown;
}

/** How many commits of one field were acknowledged, and how many rejected. */
interface Tally {
  acknowledged: number;
  rejected: number;
}

/**
 * A rejected commit may have been made, may be made later, or never. Its field shows which, because the field and the
 * version change in one step. If several rejected commits set the same field, it does not show how many were made.
 */
function countsThemAll(record: StoredRecord | undefined, tallies: ReadonlyMap<string, Tally>): void {
  assert.ok(record !== undefined, "load must return the record, not undefined");
  let [least, most] = [1, 1];
  for (const [name, { acknowledged, rejected }] of tallies) {
    const late = record.fields.has(name) ? rejected : 0;
    least += acknowledged || Math.min(late, 1);
    most += acknowledged + late;
  }
  const { version } = record;
  const expected = least === most ? least : `${least} to ${most}`;
  assert.ok(version >= least && version <= most, `the version must be ${expected}, not ${version}`);
}

export const versionCases: Case[] = [
  {
    rule: "R6.1",
    title: "a commit with fields raises the version by one, however many they are and whatever they hold",
    async run(kit) {
      const { driver, now } = kit;
      const id = await begin(driver, now, { fields: fieldsOf(["a/x", "1"]) });
      const changes: Change[] = [
        { fields: manyFields(kit, 250, "1") },
        { fields: manyFields(kit, 1_001, "1") },
        set("a/x", "2"),
        { fields: fieldsOf(["a/x", "3"], ["a/y", "4"], ["a/z", "5"]) },
        { fields: new Map([["a/x", null]]) },
        { ...set("a/y", "6"), expiresAt: now + 2 * HOUR },
      ];
      assert.deepEqual(
        await growth(driver, id, changes, now),
        [1, 1, 1, 1, 1, 1],
        "by how much each commit raises the version",
      );
      const more = Array.from({ length: 8 }, (_, i) => set("a/x", String(i)));
      assert.deepEqual(
        new Set(await growth(driver, id, more, now)),
        new Set([1]),
        "by how much each commit raises a version of two digits",
      );
    },
  },
  {
    rule: "R6.2",
    title: "a commit with a principal, or with one cleared, raises the version by one",
    async run({ driver, now }) {
      const id = await begin(driver, now, { principal: "alice" });
      const changes = ["bob", null, null].map((principal) => ({ fields: new Map(), principal }));
      assert.deepEqual(
        await growth(driver, id, changes, now),
        [1, 1, 1],
        "by how much each commit raises the version",
      );
    },
  },
  {
    rule: "R6.3",
    title: "a commit with nothing but ifVersion, or that and an expiry, raises the version by one",
    async run({ driver, now }) {
      const id = await begin(driver, now);
      const changes = [
        { fields: new Map(), ifVersion: 1 },
        { ...touch(now + 2 * HOUR), ifVersion: 2 },
      ];
      assert.deepEqual(
        await growth(driver, id, changes, now),
        [1, 1],
        "by how much each commit raises the version",
      );
    },
  },
  {
    rule: "R6.4",
    title: "a touch and an empty change leave the version",
    async run({ driver, now }) {
      const id = await begin(driver, now, { principal: "alice", fields: fieldsOf(["a/x", "1"]) });
      const changes: Change[] = [
        touch(now + 2 * HOUR),
        touch(now + HOUR),
        { fields: new Map() },
        { fields: new Map(), expiresAt: undefined, principal: undefined, ifVersion: undefined },
      ];
      assert.deepEqual(
        await growth(driver, id, changes, now),
        [0, 0, 0, 0],
        "by how much each commit raises the version",
      );
    },
  },
  {
    rule: "R6.5",
    title: "a commit that writes what is there already raises the version too",
    async run({ driver, now }) {
      const id = await begin(driver, now, { principal: "alice", fields: fieldsOf(["a/x", "1"]) });
      const changes: Change[] = [
        set("a/x", "1"),
        { fields: new Map([["a/absent", null]]) },
        { fields: new Map(), principal: "alice" },
      ];
      assert.deepEqual(
        await growth(driver, id, changes, now),
        [1, 1, 1],
        "by how much each commit raises the version",
      );
    },
  },
  {
    rule: "R6.6",
    title: "a commit with fields, principal and ifVersion together raises the version by one",
    async run({ driver, now }) {
      const id = await begin(driver, now);
      const change = { ...set("a/x", "1"), principal: "alice", ifVersion: 1, expiresAt: now + 2 * HOUR };
      assert.deepEqual(
        await growth(driver, id, [change], now),
        [1],
        "by how much each commit raises the version",
      );
    },
  },
  {
    rule: "R6.7",
    title: "concurrent commits raise the version by exactly the number of those made, acknowledged or not",
    async run({ driver, now }) {
      const id = await begin(driver, now);
      const tallies = new Map<string, Tally>();
      async function commit(name: string): Promise<void> {
        const tally = tallies.get(name) ?? { acknowledged: 0, rejected: 0 };
        tallies.set(name, tally);
        try {
          if ((await driver.commit(id, set(name, "1"), now)) === "committed") tally.acknowledged++;
        } catch (error) {
          tally.rejected++;
          throw error;
        }
      }
      // The touches between them must not count. Some of the commits are equal. The backend may be too slow for all of
      // them, and reject some.
      const count = await crowd(driver, 300);
      await together(count, (i) =>
        (i % 15 >= 2 ? commit(`a/${i % 200}`) : driver.commit(id, touch(now + HOUR + i * 1000), now)).catch(
          () => {},
        ),
      );
      const load = () => eventually(true, () => driver.load(id));
      countsThemAll(await load(), tallies);
      // Late commits may delay this one as well, so try again.
      let tries = 0;
      await eventually(true, () => commit(`last/${tries++}`));
      countsThemAll(await load(), tallies);
    },
  },
];
