import { performance } from "node:perf_hooks";
import type { StoredRecord } from "@sessions/core";
import { expect, test } from "vitest";
import { createChanges } from "../src/changes.ts";
import type { Attempt, Folders } from "../src/folders.ts";

const start: StoredRecord = { version: 1, expiresAt: 1, fields: new Map() };

/** One record in memory, which counts how often it is read and replaced. */
function fake(replace: Attempt["replace"]): Pick<Folders, "begin"> & { begun: number } {
  const folders = {
    begun: 0,
    async begin() {
      folders.begun++;
      return { record: start, replace, async leave() {} };
    },
  };
  return folders;
}

const raise = (record: StoredRecord | undefined) => {
  const version = (record?.version ?? 0) + 1;
  return { result: version, next: { ...start, version } };
};
const inGoodTime = (): number => performance.now() + 60_000;

test("changes that wait for one record are decided in order on one reading, and stored by one writing", async () => {
  const stored: (number | undefined)[] = [];
  const folders = fake(async (next) => {
    stored.push(next?.version);
    return true;
  });
  const change = createChanges(folders);
  const rules = { end: inGoodTime(), lasting: true, decide: raise };
  const answers = await Promise.all(Array.from({ length: 101 }, () => change("a", rules)));
  // The first begins at once, alone; the fake forgets it, so that both begin with version 1.
  expect(answers).toEqual([2, ...Array.from({ length: 100 }, (_, i) => i + 2)]);
  expect(stored).toEqual([2, 101]);
  expect(folders.begun).toBe(2);
});

test("a change that lost a race is decided again; one without effect is not stored", async () => {
  let losses = 3;
  const folders = fake(async () => --losses < 0);
  const change = createChanges(folders);
  expect(await change("a", { end: inGoodTime(), lasting: true, decide: raise })).toBe(2);
  expect(folders.begun).toBe(4);
  const refusing = createChanges(fake(() => Promise.reject(new Error("nothing to store"))));
  const decide = () => ({ result: "gone" });
  expect(await refusing("a", { end: inGoodTime(), lasting: true, decide })).toBe("gone");
});

test("a change that took too long is not made later, and holds up no other", async () => {
  let offered: boolean[] = [];
  const folders = fake(async (_, { isLate }) => {
    // Slow enough for the first caller, and only for that one: a wait on the clock that the rule is about.
    while (offered.length === 0 && performance.now() < end) {}
    offered.push(isLate());
    return !isLate();
  });
  const change = createChanges(folders);
  const end = performance.now() + 50;
  const late = change("a", { end, lasting: true, decide: raise }).catch((error: unknown) => error);
  const waiting = change("a", { end, lasting: true, decide: raise }).catch((error: unknown) => error);
  const other = change("a", { end: inGoodTime(), lasting: true, decide: raise });
  expect(await late).toMatchObject({ code: "ERR_SESSION_UNAVAILABLE" });
  expect(await waiting).toMatchObject({ code: "ERR_SESSION_UNAVAILABLE" });
  expect(await other).toBe(2);
  expect(offered).toEqual([true, false]);
  offered = [];
  expect(await change("a", { end: 0, lasting: true, decide: raise }).catch(() => "late")).toBe("late");
  expect(offered).toEqual([]);
});

test("a failure rejects the changes that waited, and no later one", async () => {
  let fails = true;
  const change = createChanges(
    fake(async () => {
      if (fails) throw new Error("EIO");
      return true;
    }),
  );
  const rules = { end: inGoodTime(), lasting: true, decide: raise };
  const settled = await Promise.allSettled([change("a", rules), change("a", rules)]);
  expect(settled.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
  fails = false;
  expect(await change("a", rules)).toBe(2);
});
