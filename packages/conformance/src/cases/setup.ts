import {
  type Driver,
  isListingDriver,
  isProvisionedDriver,
  isSessionError,
  type ProvisionedDriver,
} from "@sessions/core";
import * as assert from "../assert.ts";
import type { Case } from "../kit.ts";
import { listsExactly, queries } from "../paging.ts";
import { begin, fieldsOf, HOUR, loaded, lookAlikes, newId, sameRecord, set, together } from "../support.ts";

/** Narrows the type to a driver with setup. The kit runs cases with `needs: "setup"` only on such drivers. */
function provisioned(driver: Driver): ProvisionedDriver {
  assert.ok(isProvisionedDriver(driver), "the driver needs no setup");
  return driver;
}

const record = (now: number) => ({
  expiresAt: now + HOUR,
  principal: "alice",
  fields: fieldsOf(["a/x", "1"]),
});

/** Whether it is the result of a call on an empty backend. */
const isNothing = (answer: unknown): boolean =>
  [undefined, false, "gone", 0].some((nothing) => nothing === answer) ||
  (typeof answer === "object" && answer !== null && "records" in answer && String(answer.records) === "");

export const setupCases: Case[] = [
  {
    rule: "R12.1",
    title: "check returns an empty list after setup",
    needs: "setup",
    async run(kit) {
      assert.deepEqual(await provisioned(kit.driver).check(), [], "check");
    },
  },
  {
    rule: "R12.2",
    title: "a second setup keeps every record as it is",
    needs: "setup",
    async run(kit) {
      const [driver, { now }] = [provisioned(kit.driver), kit];
      const id = await begin(driver, now, record(now));
      await driver.commit(id, set("a/y", "1"), now);
      const kept = {
        expiresAt: now + HOUR + 789,
        principal: "bob",
        fields: fieldsOf(["a/x", "1"], ["a/y", "2"]),
      };
      await driver.commit(
        id,
        { ...set("a/y", "2"), expiresAt: kept.expiresAt, principal: kept.principal },
        now,
      );
      await driver.setup();
      sameRecord(await loaded(driver, id), { version: 3, ...kept });
      // That of another process, while this one has statements prepared.
      if (kit.shared) await provisioned(await kit.open()).setup();
      sameRecord(await loaded(driver, id), { version: 3, ...kept });
      assert.equal(await driver.commit(id, set("a/x", "2"), now), "committed", "commit");
      assert.deepEqual(await driver.check(), [], "check");
    },
  },
  {
    rule: "R12.3",
    title: "several setups at once succeed and lose no record",
    needs: "setup",
    async run(kit) {
      const [driver, { now }] = [provisioned(kit.driver), kit];
      const drivers = [driver];
      for (let i = 0; i < 3; i++) drivers.push(kit.shared ? provisioned(await kit.open()) : driver);
      const id = await begin(driver, now, record(now));
      await Promise.all(drivers.map((each) => each.setup()));
      sameRecord(await loaded(driver, id), { version: 1, ...record(now) });
      // And without any objects, so that the creations themselves collide.
      await driver.teardown();
      await Promise.all(drivers.map((each) => each.setup()));
      for (const each of drivers) {
        assert.deepEqual(await each.check(), [], "check");
        await begin(each, now, record(now));
      }
    },
  },
  {
    rule: "R12.4",
    title: "check names what is missing after teardown, and nothing after the next setup",
    needs: "setup",
    async run(kit) {
      const driver = provisioned(kit.driver);
      // Another namespace has the objects that this one lacks.
      await kit.openApart((namespace) => `${namespace}x`);
      await driver.teardown();
      // Twice, because check must not create what is missing.
      for (let i = 0; i < 2; i++) {
        const missing = await driver.check();
        assert.ok(missing.length > 0, "check must name what teardown removed, not return an empty list");
        for (const sentence of missing)
          assert.ok(
            sentence.trim() !== "",
            "check must return one sentence for each missing object, not an empty text",
          );
      }
      await driver.setup();
      assert.deepEqual(await driver.check(), [], "check");
    },
  },
  {
    rule: "R12.5",
    title: "teardown removes the records",
    needs: "setup",
    async run(kit) {
      const [driver, { now }] = [provisioned(kit.driver), kit];
      const id = await begin(driver, now, record(now));
      // Through a driver that did not run setup, because a deployment may run teardown in a separate process.
      const other = kit.shared ? provisioned(await kit.open()) : driver;
      await loaded(driver, id);
      await other.teardown();
      await driver.setup();
      assert.equal(await driver.load(id), undefined, "load");
      assert.equal(
        await driver.create(id, { expiresAt: now + HOUR, fields: fieldsOf() }, now),
        true,
        "create",
      );
      sameRecord(await loaded(driver, id), { version: 1, principal: undefined, fields: fieldsOf() });
    },
  },
  {
    rule: "R12.6",
    title: "teardown in one namespace removes nothing of another",
    needs: "setup",
    async run(kit) {
      const [driver, { now }] = [provisioned(kit.driver), kit];
      const others: Driver[] = [];
      for (const rename of lookAlikes.slice(0, 3)) others.push(await kit.openApart(rename));
      const ids = await Promise.all(others.map((other) => begin(other, now, record(now))));
      await driver.teardown();
      for (const [i, other] of others.entries()) {
        assert.deepEqual(await provisioned(other).check(), [], "check");
        sameRecord(await loaded(other, ids[i] ?? ""), { version: 1, ...record(now) });
        if (isListingDriver(other))
          await listsExactly({ ...kit, driver: other }, { principal: "alice" }, [ids[i] ?? ""]);
      }
      await driver.setup();
    },
  },
  {
    rule: "R12.7",
    title: "a second teardown succeeds, and so does each of several at once",
    needs: "setup",
    async run(kit) {
      const driver = provisioned(kit.driver);
      const other = kit.shared ? provisioned(await kit.open()) : driver;
      await Promise.all([driver.teardown(), other.teardown()]);
      await driver.teardown();
      await driver.setup();
      assert.deepEqual(await driver.check(), [], "check");
    },
  },
  {
    rule: "R12.8",
    title: "what the want of setup makes a call reject with is SessionSetupError",
    needs: "setup",
    async run(kit) {
      const [driver, { now }] = [provisioned(kit.driver), kit];
      const id = await begin(driver, now, record(now));
      await driver.teardown();
      const [query] = queries(driver, "alice");
      // A backend that needs no objects may return results, but it must be empty after teardown.
      const calls = {
        load: () => driver.load(id),
        commit: () => driver.commit(id, set("a/x", "2"), now),
        destroy: () => driver.destroy(id, now),
        sweep: () => driver.sweep({ after: 0, before: now, limit: 10 }),
        ...(isListingDriver(driver) && { list: () => driver.list({ ...query, limit: 10 }, now) }),
        create: () => driver.create(newId(), record(now), now),
      };
      for (const [name, call] of Object.entries(calls))
        await call().then(
          (answer) =>
            assert.ok(name === "create" || isNothing(answer), `${name} must find nothing, not ${answer}`),
          (error: unknown) => {
            const expected = isSessionError(error, "ERR_SESSION_SETUP");
            assert.ok(expected, `${name} without setup must reject with SessionSetupError, not ${error}`);
          },
        );
      await driver.setup();
    },
  },
  {
    rule: "R12.9",
    title: "setups beside creates, commits, loads and destroys lose none of them and make none fail",
    needs: "setup",
    async run(kit) {
      const { now } = kit;
      const first = provisioned(kit.driver);
      const drivers = [first, kit.shared ? provisioned(await kit.open()) : first] as const;
      const id = await begin(first, now, record(now));
      const done = await together(12, async (i) => {
        const driver = drivers[i % 2 === 0 ? 0 : 1];
        // Two drivers run setup while the others work, because a process may start at any time.
        if (i < 2) for (let n = 0; n < 3; n++) await driver.setup();
        const own = await begin(driver, now, record(now));
        assert.equal(await driver.commit(own, set("a/y", "1"), now), "committed", "commit");
        assert.equal(await driver.commit(id, set(`late/${i}`, "1"), now), "committed", "commit");
        sameRecord(await loaded(driver, own), {
          ...record(now),
          version: 2,
          fields: fieldsOf(["a/x", "1"], ["a/y", "1"]),
        });
        return own;
      });
      const late = done.map((_, i) => [`late/${i}`, "1"] as const);
      sameRecord(await loaded(first, id), {
        ...record(now),
        version: 1 + done.length,
        fields: fieldsOf(["a/x", "1"], ...late),
      });
      for (const [i, own] of done.entries())
        assert.equal(await drivers[i % 2 === 0 ? 1 : 0].destroy(own, now), true, "no record may be lost");
      assert.deepEqual(await first.check(), [], "check");
    },
  },
];
