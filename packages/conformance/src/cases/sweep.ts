import { type Driver, isListingDriver } from "@sessions/core";
import * as assert from "../assert.ts";
import type { Case } from "../kit.ts";
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

/** The ids that `load` finds. Load may hide expired records, so cases compare the ids before with those after. */
async function shown(driver: Driver, ids: readonly string[]): Promise<string[]> {
  const records = await Promise.all(ids.map((id) => driver.load(id)));
  return ids.filter((_, i) => records[i] !== undefined);
}

/** Creates records that expire at these instants. The clock is earlier, so all of them are live when created. */
const ended = (driver: Driver, now: number, instants: readonly number[]): Promise<string[]> =>
  Promise.all(
    instants.map((expiresAt) => begin(driver, now - 10 * MINUTE, { expiresAt, principal: "alice" })),
  );

export const sweepCases: Case[] = [
  {
    rule: "R8.1",
    title: "a sweep removes no record that expired before `after`, or at `before` or later",
    async run({ driver, now }) {
      // Neither whole nor half seconds, so that rounding shows.
      const [after, before] = [now - 3 * MINUTE + 501, now - 2 * MINUTE + 499];
      const instants = [after - MINUTE, after - 1, before, before + 1, before + MINUTE];
      const outside = await shown(driver, await ended(driver, now, instants));
      const inside = await ended(driver, now, [after, after + 1, before - 1]);
      const count = await driver.sweep({ after, before, limit: 100 });
      assert.ok(count <= inside.length, `a sweep of ${inside.length} records must not return ${count}`);
      assert.deepEqual(await shown(driver, outside), outside, "the records outside of the sweep's range");
    },
  },
  {
    rule: "R8.2",
    title: "a sweep removes at most `limit` records",
    async run({ driver, now }) {
      const fields = fieldsOf(["a/x", "1"]);
      const ids = await together(10, () => leave(driver, now, { fields: new Map(fields) }));
      for (const limit of [1, 3, 4]) {
        const there = await shown(driver, ids);
        const count = await driver.sweep({ after: now - 2 * MINUTE, before: now, limit });
        assert.ok(count <= limit, `a sweep with limit ${limit} must not return ${count}`);
        const left = await shown(driver, there);
        const removed = there.length - left.length;
        assert.ok(removed <= limit, `a sweep with limit ${limit} must not remove ${removed}`);
        // For callers whose clock is behind, these records are still live.
        for (const id of left)
          sameRecord(await loaded(driver, id), { version: 1, expiresAt: now - MINUTE, fields });
      }
      // More than most drivers remove with one statement.
      const many = await shown(driver, await together(130, () => leave(driver, now)));
      const count = await driver.sweep({ after: 0, before: now, limit: 120 });
      const removed = many.length - (await shown(driver, many)).length;
      assert.ok(count <= 120, `a sweep with limit 120 must not return ${count}`);
      assert.ok(removed <= 120, `a sweep with limit 120 must not remove ${removed}`);
    },
  },
  {
    rule: "R8.3",
    title: "a sweep of all that has expired leaves the live records as they are",
    async run({ driver, now }) {
      const record = { expiresAt: now + HOUR, principal: "alice", fields: fieldsOf(["a/x", "1"]) };
      const ids = await together(5, () => begin(driver, now, record));
      ids.push(await begin(driver, now - HOUR, { ...record, expiresAt: now - MINUTE }));
      await driver.commit(ids[5] ?? "", touch(now + HOUR), now - 2 * MINUTE);
      const last = await begin(driver, now - MINUTE, { expiresAt: now });
      await leave(driver, now);
      await driver.sweep({ after: 0, before: now, limit: 1_000 });
      for (const id of ids) sameRecord(await loaded(driver, id), record);
      assert.equal(await driver.commit(last, set("a/x", "1"), now - 1), "committed", "commit");
    },
  },
  {
    rule: "R8.4",
    title: "a sweep returns how many records it removed",
    async run({ driver, now }) {
      const ids = await together(7, () => leave(driver, now));
      await begin(driver, now);
      let there = await shown(driver, ids);
      const allShown = there.length === ids.length;
      let sum = 0;
      for (const limit of [3, 100, 100]) {
        const count = await driver.sweep({ after: now - 2 * MINUTE, before: now, limit });
        assert.ok(Number.isInteger(count) && count >= 0, `a sweep must return a whole number, not ${count}`);
        const left = await shown(driver, there);
        const removed = there.length - left.length;
        if (allShown) assert.equal(count, removed, "sweep must return the number of records that it removed");
        else assert.ok(count >= removed, "sweep must count every record that it removed");
        there = left;
        sum += count;
      }
      assert.ok(
        sum <= ids.length,
        `the sweeps returned ${sum} in all, but there were only ${ids.length} records`,
      );
      // More records than most backends take in one statement or batch.
      const many = await shown(driver, await together(130, () => leave(driver, now)));
      const count = await driver.sweep({ after: now - 2 * MINUTE, before: now, limit: 1_000 });
      const removed = many.length - (await shown(driver, many)).length;
      assert.ok(count >= removed, `a sweep that removed ${removed} records must not return ${count}`);
      if (many.length === 130)
        assert.equal(count, removed, "sweep must return the number of records that it removed");
    },
  },
  {
    rule: "R8.5",
    title:
      "a sweep that races with a commit which moves the expiry out of its range removes nothing committed",
    async run({ driver, now }) {
      // Expired by the sweep's clock, live by the clock of the commits, which is behind.
      const late = now - 2 * MINUTE;
      const ids = await together(20, () => begin(driver, late, { expiresAt: now - MINUTE }));
      const sweep = () => driver.sweep({ after: 0, before: now, limit: 100 });
      const commit = (i: number) =>
        driver.commit(ids[i] ?? "", { ...set("a/x", "1"), expiresAt: now + HOUR }, late);
      const [early, , outcomes] = await Promise.all([
        together(10, commit),
        sweep(),
        together(10, (i) => commit(i + 10)),
        sweep(),
      ]);
      for (const [i, outcome] of [...early, ...outcomes].entries())
        if (outcome === "committed")
          sameRecord(await loaded(driver, ids[i] ?? ""), { expiresAt: now + HOUR });
        else assert.equal(outcome, "gone", "commit to a record that the sweep removed");
    },
  },
  {
    rule: "R8.6",
    title: "a sweep that races with a create over a leftover does not remove the new record",
    async run({ driver, now }) {
      const ids = await together(20, () => leave(driver, now));
      const record = { expiresAt: now + HOUR, fields: fieldsOf(["a/x", "1"]) };
      const [created] = await Promise.all([
        together(20, (i) => driver.create(ids[i] ?? "", record, now)),
        driver.sweep({ after: 0, before: now, limit: 100 }),
      ]);
      for (const [i, id] of ids.entries()) if (created[i]) sameRecord(await loaded(driver, id), record);
    },
  },
  {
    rule: "R8.8",
    title: "of sweeps at once each returns what it removed itself",
    async run({ driver, now }) {
      const ids = await together(20, () => leave(driver, now));
      const there = await shown(driver, ids);
      const counts = await together(4, () => driver.sweep({ after: 0, before: now, limit: 100 }));
      const sum = counts.reduce((a, b) => a + b);
      const removed = there.length - (await shown(driver, there)).length;
      assert.ok(
        sum <= ids.length,
        `the sweeps returned ${sum} in all, but there were only ${ids.length} records`,
      );
      if (there.length === ids.length)
        assert.equal(sum, removed, "the sweeps must return the number of records that they removed in all");
    },
  },
  {
    rule: "R8.9",
    title: "sweeps of a range, until one removes nothing, remove every record in it or none",
    async run({ driver, now }) {
      const before = now - 5 * MINUTE;
      // Several in one minute and several minutes, some of them moved, some destroyed, some created over a leftover.
      const instants = Array.from(
        { length: 18 },
        (_, i) => before - 1 - Math.floor(i / 3) * MINUTE - (i % 3),
      );
      const after = Math.min(...instants);
      const ids = await together(instants.length, (i) =>
        begin(driver, now - HOUR, { expiresAt: (instants[i] ?? now) - (i % 3 === 0 ? 10 * MINUTE : 0) }),
      );
      const unmoved = new Set<string>();
      for (let i = 0; i < ids.length; i += 3) {
        const outcome = await driver.commit(ids[i] ?? "", touch(instants[i] ?? now), now - HOUR);
        // What a wrong clock leaves out of the range is another clause's.
        if (outcome !== "committed") unmoved.add(ids[i] ?? "");
      }
      for (const id of ids.splice(4, 3)) await driver.destroy(id, now - HOUR);
      const last = { expiresAt: before - 2 * MINUTE, fields: fieldsOf() };
      await driver.create(ids.at(-2) ?? "", last, before - 4 * MINUTE);
      let removed = 0;
      await eventually(isListingDriver(driver) && driver.eventualList === true, async () => {
        for (let round = 0; round < 2 * ids.length; round++) {
          const count = await driver.sweep({ after, before, limit: 4 });
          if (count === 0) break;
          removed += count;
        }
        const inRange = ids.filter((id) => !unmoved.has(id));
        if (removed > 0)
          assert.deepEqual(await shown(driver, inRange), [], "the records that no sweep removed");
      });
    },
  },
];
