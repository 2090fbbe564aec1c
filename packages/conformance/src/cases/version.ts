import assert from "node:assert/strict";
import type { Change, Driver } from "@sessions/core";
import type { Case } from "../kit.ts";
import { begin, fieldsOf, HOUR, loaded, manyFields, set, together, touch } from "../support.ts";

/** How much each of the commits, one after the other, raises the version. */
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
      assert.deepEqual(await growth(driver, id, changes, now), [1, 1, 1, 1, 1, 1]);
    },
  },
  {
    rule: "R6.2",
    title: "a commit with a principal, or with one cleared, raises the version by one",
    async run({ driver, now }) {
      const id = await begin(driver, now, { principal: "alice" });
      const changes = ["bob", null, null].map((principal) => ({ fields: new Map(), principal }));
      assert.deepEqual(await growth(driver, id, changes, now), [1, 1, 1]);
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
      assert.deepEqual(await growth(driver, id, changes, now), [1, 1]);
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
      assert.deepEqual(await growth(driver, id, changes, now), [0, 0, 0, 0]);
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
      assert.deepEqual(await growth(driver, id, changes, now), [1, 1, 1]);
    },
  },
  {
    rule: "R6.6",
    title: "a commit with fields, principal and ifVersion together raises the version by one",
    async run({ driver, now }) {
      const id = await begin(driver, now);
      const change = { ...set("a/x", "1"), principal: "alice", ifVersion: 1, expiresAt: now + 2 * HOUR };
      assert.deepEqual(await growth(driver, id, [change], now), [1]);
    },
  },
  {
    rule: "R6.7",
    title: "concurrent commits raise the version by exactly the number of those acknowledged",
    async run({ driver, now }) {
      const id = await begin(driver, now);
      // The touches between them do not count; some of those that do are equal.
      const counts = (i: number) => i % 15 >= 2;
      const outcomes = await together(300, (i) =>
        driver
          .commit(id, counts(i) ? set(`a/${i % 200}`, "1") : touch(now + HOUR + i * 1000), now)
          .catch(() => "rejected"),
      );
      const made = outcomes.filter((outcome, i) => outcome === "committed" && counts(i)).length;
      const { version } = await loaded(driver, id);
      // One that was rejected may have been made.
      const most = made + outcomes.filter((outcome) => outcome === "rejected").length;
      assert.ok(version >= 1 + made && version <= 1 + most, `${made} commits made the version ${version}`);
      await driver.commit(id, set("a/last", "1"), now);
      assert.equal((await loaded(driver, id)).version, version + 1);
    },
  },
];
