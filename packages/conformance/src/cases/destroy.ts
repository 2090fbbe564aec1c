import type { Change, Driver } from "@sessions/core";
import * as assert from "../assert.ts";
import type { Case } from "../kit.ts";
import {
  begin,
  fieldsOf,
  HOUR,
  leave,
  loaded,
  MINUTE,
  newId,
  sameRecord,
  set,
  severalDrivers,
  together,
  touch,
  yieldToEventLoop,
} from "../support.ts";

type Drivers = (i: number) => Driver;

/** A commit whose rejection is ignored: R3 and R4 report it. Here only the record that it leaves matters. */
const write = (driver: Driver, id: string, change: Change, now: number) =>
  driver.commit(id, change, now).catch(() => "rejected" as const);

/** Whether at most two commits beside a destroy bring the record back. R1.7, R4.2 or R4.7 reports that. */
async function comesBack(driver: Driver, now: number): Promise<boolean> {
  const record = { expiresAt: now + HOUR, fields: fieldsOf() };
  const quiet = await begin(driver, now, { fields: fieldsOf(["a/old", "1"]) });
  await driver.destroy(quiet, now);
  if ((await write(driver, quiet, set("a/x", "1"), now)) !== "gone") return true;
  await driver.create(quiet, record, now);
  const anew = await driver.load(quiet);
  if (anew?.version !== 1 || anew.fields.size > 0) return true;
  const back = await together(20, async (i) => {
    const id = await begin(driver, now);
    const answers = await together(3, async (n) => {
      if (n === i % 3) return driver.destroy(id, now);
      return write(driver, id, n === 2 ? touch(now + 2 * HOUR) : set(`a/${n}`, "1"), now);
    });
    return answers.includes(true) && (await driver.load(id)) !== undefined;
  });
  return back.includes(true);
}

/** Destroys a record while six callers write to it without a pause, until each of them gets "gone". */
async function underFire(drivers: Drivers, now: number, destroys: number): Promise<void> {
  const id = await begin(drivers(0), now, { fields: fieldsOf(["a/old", "1"]) });
  let answered = false;
  async function fire(driver: Driver, kind: number): Promise<void> {
    for (let n = 0; ; n++) {
      const late = answered;
      const ifVersion = kind === 2 ? ((await driver.load(id))?.version ?? 1) : undefined;
      const change = kind === 1 ? touch(now + HOUR + n) : { ...set(`a/${kind}`, String(n)), ifVersion };
      const outcome = await write(driver, id, change, now);
      if (late && outcome === "rejected") return;
      if (late)
        return assert.equal(
          outcome,
          "gone",
          "a commit that begins after destroy has returned must return gone",
        );
      await yieldToEventLoop();
    }
  }
  async function destroy(driver: Driver): Promise<boolean> {
    try {
      return await driver.destroy(id, now);
    } finally {
      answered = true;
      const seen = await driver.load(id);
      assert.equal(seen, undefined, "when destroy has returned, the record must be gone");
    }
  }
  const fires = together(6, (i) => fire(drivers(i), i % 3));
  // Once one call has returned, the calls that began before it are under way.
  const burning = drivers(0).load(id);
  const answers = burning
    .then(() => together(destroys, (i) => destroy(drivers(i))))
    .finally(() => {
      answered = true;
    });
  // Wait for all of them, so that no call disturbs the next round.
  const [writers, destroyers] = await Promise.allSettled([fires, answers]);
  if (destroyers.status === "rejected") throw destroyers.reason;
  assert.equal(
    destroyers.value.filter((answer) => answer === true).length,
    1,
    "exactly one destroy must return true",
  );
  if (writers.status === "rejected") throw writers.reason;
  const record = { expiresAt: now + HOUR, fields: fieldsOf(["a/new", "1"]) };
  assert.equal(
    await drivers(1).create(id, record, now),
    true,
    "create must return true: after destroy the id is free",
  );
  sameRecord(await loaded(drivers(1), id), { version: 1, ...record });
}

/** Whether commits and a destroy collide is chance, so this repeats for a third of a second. */
async function oftenUnderFire(
  drivers: Drivers,
  now: number,
  ...destroys: [number, ...number[]]
): Promise<void> {
  if (await comesBack(drivers(0), now)) return;
  const end = Date.now() + 300;
  for (let round = 0; round < 10 && (round === 0 || Date.now() < end); round++)
    await underFire(drivers, now, destroys[round % destroys.length] ?? 1);
}

async function contend(drivers: Drivers, now: number): Promise<void> {
  const id = await begin(drivers(0), now);
  const answers = await together(20, (i) => drivers(i).destroy(id, now));
  assert.equal(answers.filter((answer) => answer === true).length, 1, "exactly one destroy must return true");
  assert.equal(
    answers.filter((answer) => answer === false).length,
    19,
    "every other destroy must return false",
  );
}

export const destroyCases: Case[] = [
  {
    rule: "R7.1",
    title: "destroy of a live record returns true once, then false",
    async run({ driver, now }) {
      const id = await begin(driver, now, { principal: "alice", fields: fieldsOf(["a/x", "1"]) });
      assert.equal(await driver.destroy(id, now), true, "destroy");
      assert.equal(await driver.destroy(id, now), false, "destroy");
      // One that another table, or an index, holds in two places.
      const moved = await begin(driver, now, { principal: "alice" });
      await driver.commit(moved, { ...set("a/x", "1"), principal: "bob" }, now);
      assert.equal(await driver.destroy(moved, now), true, "destroy");
      assert.equal(await driver.destroy(moved, now), false, "destroy");
    },
  },
  {
    rule: "R7.2",
    title: "destroy of an id that was never created returns false",
    async run({ driver, now }) {
      await begin(driver, now);
      assert.equal(await driver.destroy(newId(), now), false, "destroy");
    },
  },
  {
    rule: "R7.3",
    title: "a record can be destroyed until `now` reaches its expiry, whatever the backend's clock says",
    async run({ driver, now: real }) {
      for (const now of [real, real - 5 * MINUTE, real + 5 * MINUTE]) {
        const first = await begin(driver, now - MINUTE, { expiresAt: now });
        assert.equal(
          await driver.destroy(first, now),
          false,
          "destroy must return false: at expiresAt itself the record is expired",
        );
        const second = await begin(driver, now - MINUTE, { expiresAt: now });
        assert.equal(
          await driver.destroy(second, now - 1),
          true,
          "destroy must return true: the record is live for one more millisecond",
        );
        // By a caller whose clock is behind that of the last commit.
        const third = await begin(driver, now - MINUTE);
        await driver.commit(third, set("a/x", "1"), now);
        assert.equal(await driver.destroy(third, now - 1_000), true, "destroy");
        assert.equal(await driver.load(third), undefined, "load");
      }
    },
  },
  {
    rule: "R7.4",
    title: "destroy of a record that expired, or that a commit has ended, returns false",
    async run({ driver, now }) {
      assert.equal(await driver.destroy(await leave(driver, now), now), false, "destroy");
      const id = await begin(driver, now);
      await driver.commit(id, touch(now - MINUTE), now);
      assert.equal(await driver.destroy(id, now), false, "destroy");
    },
  },
  {
    rule: "R7.5",
    title: "of twenty concurrent destroys exactly one returns true",
    async run({ driver, now }) {
      await contend(() => driver, now);
    },
  },
  {
    rule: "R7.6",
    title: "of concurrent destroys through several drivers exactly one returns true",
    needs: "shared",
    async run(kit) {
      await contend(await severalDrivers(kit), kit.now);
    },
  },
  {
    rule: "R7.7",
    title: "load of a destroyed record returns undefined",
    async run({ driver, now }) {
      const id = await begin(driver, now, { principal: "alice", fields: fieldsOf(["a/x", "1"]) });
      await driver.destroy(id, now);
      assert.equal(await driver.load(id), undefined, "load");
    },
  },
  {
    rule: "R7.10",
    title: "a destroy that races with commits without a pause returns true, and the record is gone",
    async run({ driver, now }) {
      await oftenUnderFire(() => driver, now, 1);
    },
  },
  {
    rule: "R7.11",
    title: "of several destroys that race with commits one returns true, and none before the record is gone",
    async run({ driver, now }) {
      await oftenUnderFire(() => driver, now, 5);
    },
  },
  {
    rule: "R7.12",
    title: "destroys that race with commits through several drivers are as final",
    needs: "shared",
    async run(kit) {
      const drivers = await severalDrivers(kit);
      await oftenUnderFire(drivers, kit.now, 1, 5);
    },
  },
];
