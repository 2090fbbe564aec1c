import { type CommitOutcome, isListingDriver, isSessionError } from "@sessions/core";
import * as assert from "../assert.ts";
import type { Case, Kit } from "../kit.ts";
import { idsOf, listAll } from "../paging.ts";
import {
  begin,
  eventually,
  fieldsOf,
  HOUR,
  leave,
  loaded,
  newId,
  set,
  touch,
  yieldToEventLoop,
} from "../support.ts";
import { within } from "../within.ts";

/** The most that a call may take whose answer is lost. The timeout of the driver under test must be shorter. */
const ANSWER_MS = 3_000;
/** Which of several answers is lost (a connection's, a statement's) may differ from round to round. */
const ROUNDS = 4;
/** How often a client is given time to repeat what it had sent. */
const PASSES = 20;

/** `"unknown"`: the call was rejected with `DriverUnavailableError`. */
type Lost<T> = T | "unknown";

/**
 * Makes a call about a record while the next answer is lost, and waits until the driver works again. First it makes the
 * same call about another record, so that connection, statement and script are there, and the answer that is lost is
 * that of the call itself.
 */
async function withoutAnswer<T>(
  { outage, driver, now }: Kit,
  id: string,
  call: (id: string) => Promise<T>,
): Promise<Lost<T>> {
  assert.ok(outage?.drop, "the target's outage has no drop");
  await call(await begin(driver, now, { principal: "somebody" }));
  await outage.drop();
  try {
    return await within(ANSWER_MS, call(id), "a call whose answer was lost did not end");
  } catch (error) {
    assert.ok(
      isSessionError(error, "ERR_SESSION_UNAVAILABLE"),
      `a call whose answer was lost must reject with DriverUnavailableError, not ${error}`,
    );
    return "unknown";
  } finally {
    // If the call did not ask the backend, this loses the answer in its place.
    await eventually(true, () => driver.load(newId()));
  }
}

/** Time for a client that repeats a call behind the driver's back. */
async function pass(kit: Kit): Promise<void> {
  for (let i = 0; i < PASSES; i++) {
    await kit.driver.load(newId());
    await yieldToEventLoop();
  }
}

/** A commit, and how often it may have been made: the version tells. */
async function madeOnce(kit: Kit, id: string, outcome: Lost<CommitOutcome>): Promise<void> {
  await pass(kit);
  const { version, fields } = await loaded(kit.driver, id);
  const least = outcome === "committed" ? 2 : 1;
  assert.ok(
    version >= least && version <= 2,
    `a commit that was ${outcome === "committed" ? "committed" : "rejected"} must have been made ${least === 2 ? "once" : "at most once"}, but the version is ${version}`,
  );
  assert.equal(fields.get("a/x"), version === 2 ? "mine" : undefined, "field a/x");
}

/** Answers that are lost while the backend stays: a client that repeats its call does it twice. */
export const lostAnswerCases: Case[] = [
  {
    rule: "R11.7",
    title: "a commit whose answer is lost is committed or rejected, and made at most once",
    needs: "drop",
    async run(kit) {
      const { driver, now } = kit;
      for (let round = 0; round < ROUNDS; round++) {
        const id = await begin(driver, now);
        const outcome = await withoutAnswer(kit, id, (of) => driver.commit(of, set("a/x", "mine"), now));
        assert.ok(outcome === "committed" || outcome === "unknown", `commit must not return ${outcome}`);
        await madeOnce(kit, id, outcome);
      }
    },
  },
  {
    rule: "R11.8",
    title: "a commit whose answer is lost does not overwrite a later one",
    needs: "drop",
    async run(kit) {
      const { driver, now } = kit;
      for (let round = 0; round < ROUNDS; round++) {
        const id = await begin(driver, now);
        const other = kit.shared ? await kit.open() : driver;
        const change = { ...set("a/x", "mine"), expiresAt: now + 2 * HOUR, principal: "alice" };
        await withoutAnswer(kit, id, (of) => driver.commit(of, change, now));
        const later = { ...set("a/x", "later"), expiresAt: now + 3 * HOUR, principal: "bob" };
        assert.equal(await other.commit(id, later, now), "committed", "the later commit");
        await pass(kit);
        const { fields, expiresAt, principal } = await loaded(driver, id);
        assert.deepEqual(
          { text: fields.get("a/x"), expiresAt, principal },
          { text: "later", expiresAt: later.expiresAt, principal: "bob" },
          "the record after the later commit",
        );
        // A touch has no version that would show it.
        await withoutAnswer(kit, id, (of) => driver.commit(of, touch(now + 4 * HOUR), now));
        assert.equal(await other.commit(id, touch(now + HOUR), now), "committed", "the later commit");
        await pass(kit);
        assert.equal((await loaded(driver, id)).expiresAt, now + HOUR, "expiresAt after the later commit");
      }
    },
  },
  {
    rule: "R11.9",
    title: "a compare-and-set whose answer is lost does not return conflict with itself",
    needs: "drop",
    async run(kit) {
      const { driver, now } = kit;
      for (let round = 0; round < ROUNDS; round++) {
        const id = await begin(driver, now);
        const change = { ...set("a/x", "mine"), ifVersion: 1 };
        const outcome = await withoutAnswer(kit, id, (of) => driver.commit(of, change, now));
        assert.ok(
          outcome === "committed" || outcome === "unknown",
          `no other commit was made, so it must not return ${outcome}`,
        );
        await madeOnce(kit, id, outcome);
      }
    },
  },
  {
    rule: "R11.10",
    title: "a create whose answer is lost does not return false for its own record",
    needs: "drop",
    async run(kit) {
      const { driver, now } = kit;
      for (let round = 0; round < ROUNDS; round++) {
        const id = newId();
        const record = { expiresAt: now + HOUR, principal: "alice", fields: fieldsOf(["a/x", "1"]) };
        const outcome = await withoutAnswer(kit, id, (of) => driver.create(of, record, now));
        assert.ok(outcome !== false, "no other has created the record, so create must not return false");
        if (outcome === true) await loaded(driver, id);
        // A repeat that comes late must not create it again.
        await driver.destroy(id, now);
        await pass(kit);
        assert.equal(await driver.load(id), undefined, "a destroyed record must not be created again");
      }
    },
  },
  {
    rule: "R11.11",
    title: "a destroy whose answer is lost does not return false for the record that it removed",
    needs: "drop",
    async run(kit) {
      const { driver, now } = kit;
      for (let round = 0; round < ROUNDS; round++) {
        const id = await begin(driver, now, { principal: "alice" });
        const outcome = await withoutAnswer(kit, id, (of) => driver.destroy(of, now));
        assert.ok(outcome !== false, "no other has destroyed the record, so destroy must not return false");
        if (outcome === true) assert.equal(await driver.load(id), undefined, "load after destroy");
        // A repeat that comes late must not remove the successor.
        await driver.create(id, { expiresAt: now + HOUR, fields: fieldsOf() }, now);
        await pass(kit);
        await loaded(driver, id);
      }
    },
  },
  {
    rule: "R11.12",
    title: "a load or a list whose answer is lost rejects, or returns what is stored",
    needs: "drop",
    async run(kit) {
      const { driver, now } = kit;
      const id = await begin(driver, now, { principal: "alice", fields: fieldsOf(["a/x", "1"]) });
      for (let round = 0; round < ROUNDS; round++) {
        const record = await withoutAnswer(kit, id, (of) => driver.load(of));
        if (record !== "unknown") assert.equal(record?.fields.get("a/x"), "1", "load must find the record");
        if (!isListingDriver(driver) || driver.eventualList === true) continue;
        const found = await withoutAnswer(kit, id, () => listAll(driver, { principal: "alice" }, now, 10));
        if (found !== "unknown") assert.deepEqual([...idsOf(found)], [id], "the listing");
      }
    },
  },
  {
    rule: "R11.13",
    title: "a sweep whose answer is lost rejects, or counts what it removed",
    needs: "drop",
    async run(kit) {
      const { driver, now } = kit;
      for (let round = 0; round < ROUNDS; round++) {
        // A round whose answer was lost may have left its record. It may ask a server of a cluster that the load
        // did not, and whose connection was cut too.
        await eventually(true, () => driver.sweep({ after: 0, before: now, limit: 10 }));
        const id = await leave(driver, now, { principal: "alice" });
        const there = (await driver.load(id)) !== undefined;
        // The call about another record finds nothing.
        const before = (of: string) => (of === id ? now : 1);
        const count = await withoutAnswer(kit, id, (of) =>
          driver.sweep({ after: 0, before: before(of), limit: 10 }),
        );
        if (count === "unknown" || !there) continue;
        const removed = (await driver.load(id)) === undefined ? 1 : 0;
        assert.equal(count, removed, "sweep must return the number of records that it removed");
      }
    },
  },
];
