import { type Driver, isSessionError } from "@sessions/core";
import * as assert from "../assert.ts";
import type { Case, Kit } from "../kit.ts";
import {
  begin,
  crowd,
  fieldsOf,
  HOUR,
  leave,
  loaded,
  newId,
  set,
  together,
  touch,
  yieldToEventLoop,
} from "../support.ts";

const MIB = 1024 * 1024;
const ROUNDS = 6;

/**
 * Begins a few loads, then `work`, and keeps several loads under way until `work` has ended. Resolves while the last of
 * them are still under way.
 */
async function besideLoads(
  driver: Driver,
  id: string,
  before: number,
  work: () => Promise<unknown>,
): Promise<Set<Promise<void>>> {
  const loads = new Set<Promise<void>>();
  const load = async () => {
    // That a load fails is another clause's.
    const begun: Promise<void> = driver.load(id).then(
      () => void loads.delete(begun),
      () => void loads.delete(begun),
    );
    loads.add(begun);
    await yieldToEventLoop();
  };
  for (let i = 0; i < before; i++) await load();
  let working = true;
  // Settled, so that a rejection waits until it is awaited.
  const ended = Promise.allSettled([work()]).then(([result]) => {
    working = false;
    return result;
  });
  while (working) {
    if (loads.size < 8) await load();
    else await yieldToEventLoop();
  }
  const result = await ended;
  if (result.status === "rejected") throw result.reason;
  return loads;
}

/** What of each write another driver does not see, although it was acknowledged; that of one driver alone, too. */
async function unseen(writer: Driver, reader: Driver, now: number): Promise<string[]> {
  const missed: string[] = [];
  const check = (seen: boolean, what: string) => {
    if (!seen) missed.push(what);
  };
  await together(30, async (i) => {
    const id = await begin(writer, now, { fields: fieldsOf(["a/n", "0"]) });
    check((await reader.load(id)) !== undefined, "create");
    await writer.commit(id, set("a/n", String(i)), now);
    check((await reader.load(id))?.fields.get("a/n") === String(i), "commit");
    await writer.commit(id, touch(now + 2 * HOUR), now);
    check((await reader.load(id))?.expiresAt === now + 2 * HOUR, "touch");
    await writer.destroy(id, now);
    check((await reader.load(id)) === undefined, "destroy");
  });
  const id = await begin(writer, now);
  const late = new Set<string>();
  await together(await crowd(writer, 30), async (i) => {
    await writer.commit(id, set(`a/${i}`, "1"), now);
    if (!(await reader.load(id))?.fields.has(`a/${i}`)) late.add(`a/${i}`);
  });
  // A text that is lost for good is R3's.
  const { fields } = await loaded(reader, id);
  for (const name of late) check(!fields.has(name), "one of many commits to one record");
  return missed;
}

type Planned = readonly [what: string, call: () => Promise<unknown>, must: unknown];

/** What a call returns, or the code of what it rejects with. */
const resultOf = (call: () => Promise<unknown>): Promise<unknown> =>
  call().catch((error: unknown) => (isSessionError(error) ? error.code : `an error: ${error}`));

/** Calls about records of their own, with the result that each must have. */
async function mixed({ driver, now, maxBytes }: Kit): Promise<Planned[]> {
  const live = await together(12, () => begin(driver, now));
  const ended = await begin(driver, now);
  await driver.destroy(ended, now);
  const expired = await leave(driver, now);
  const large = set("a/large", "x".repeat(2 * Math.min(maxBytes, MIB)));
  const record = { expiresAt: now + HOUR, fields: fieldsOf(["a/x", "1"]) };
  const commit =
    (i: number, extra = {}) =>
    () =>
      driver.commit(live[i] ?? "", { ...set("a/x", String(i)), ...extra }, now);
  const calls: Planned[] = [
    ["commit", commit(0), "committed"],
    ["commit to an unknown id", () => driver.commit(newId(), set("a/x", "1"), now), "gone"],
    ["commit", commit(1), "committed"],
    ["commit with another ifVersion", commit(2, { ifVersion: 9 }), "conflict"],
    ["commit with ifVersion", commit(3, { ifVersion: 1 }), "committed"],
    ["commit to a destroyed record", () => driver.commit(ended, set("a/x", "1"), now), "gone"],
    ["touch", () => driver.commit(live[4] ?? "", touch(now + 2 * HOUR), now), "committed"],
    ["commit to an expired record", () => driver.commit(expired, set("a/x", "1"), now), "gone"],
    ["commit", commit(5), "committed"],
    ["create over a live record", () => driver.create(live[6] ?? "", record, now), false],
    ["create", () => driver.create(newId(), record, now), true],
    ["destroy of an unknown id", () => driver.destroy(newId(), now), false],
    ["destroy", () => driver.destroy(live[7] ?? "", now), true],
    ["commit", commit(8), "committed"],
  ];
  if (maxBytes < MIB)
    calls.push([
      "commit of too much",
      () => driver.commit(live[9] ?? "", large, now),
      "ERR_SESSION_TOO_LARGE",
    ]);
  calls.push(["commit", commit(10), "committed"]);
  return calls;
}

/** Calls that begin together, as a driver that batches, merges or queues them would meet them. */
export const burstCases: Case[] = [
  {
    rule: "R2.10",
    title: "a load that begins after a commit was acknowledged sees it, though older loads are under way",
    async run({ driver, now }) {
      const id = await begin(driver, now);
      for (let round = 0; round < ROUNDS; round++) {
        const text = String(round);
        const older = await besideLoads(driver, id, round, () => driver.commit(id, set("a/x", text), now));
        const { fields } = await loaded(driver, id);
        await Promise.all(older);
        const seen = (await loaded(driver, id)).fields.get("a/x");
        // A commit that never shows is R3's.
        if (seen === text)
          assert.equal(fields.get("a/x"), text, "load must not share the result of a load that began before");
      }
    },
  },
  {
    rule: "R10.10",
    title: "of many writes at once, another driver sees each as soon as that one is acknowledged",
    needs: "shared",
    async run({ driver, now, open }) {
      const missed = await unseen(driver, await open(), now);
      if (missed.length === 0) return;
      const alone = await open();
      if ((await unseen(alone, alone, now)).length > 0) return;
      assert.fail(
        `another driver did not see ${missed.length} acknowledged writes: ${[...new Set(missed)].join(", ")}`,
      );
    },
  },
  {
    rule: "R14.8",
    title: "of calls that begin together, each has the result of its own record",
    async run(kit) {
      const calls = await mixed(kit);
      const results = await Promise.all(calls.map(([, call]) => resultOf(call)));
      const wrong = calls.findIndex(([, , must], i) => must !== results[i]);
      if (wrong < 0) return;
      // What is wrong one after the other as well is another rule's.
      for (const [, call, must] of await mixed(kit)) if ((await resultOf(call)) !== must) return;
      const [what, , must] = calls[wrong] ?? [];
      assert.equal(results[wrong], must, `${what} must have its own result, whatever else began with it`);
    },
  },
];
