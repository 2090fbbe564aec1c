import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { StoredRecord } from "@sessions/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createFolders, type Folders } from "../src/folders.ts";
import { fileDriver } from "../src/index.ts";
import { layoutOf } from "../src/layout.ts";
import { newId, ownFolder } from "./support.ts";

const rules = { isLate: () => false, lasting: false };
const record = (version: number): StoredRecord => ({ version, expiresAt: 1, fields: new Map() });

async function open(): Promise<{ folders: Folders; directory: string }> {
  const directory = await ownFolder();
  await fileDriver({ directory }).setup();
  return { folders: createFolders(layoutOf(directory)), directory };
}

/** A process's next step: begin an attempt, replace what it saw, end the record, or give up. */
const step = fc.record({
  who: fc.nat(3),
  // Without an attempt under way, any step begins one.
  act: fc.constantFrom("replace", "replace", "end", "leave", "look"),
});

describe("an attempt to replace what was seen", () => {
  test("succeeds exactly if no other has changed it since, however many attempts are under way", async () => {
    const { folders } = await open();
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 60, size: "max" }), async (steps) => {
        const id = newId();
        const attempts = new Map<number, { attempt: Awaited<ReturnType<Folders["begin"]>>; seen: number }>();
        // The stored record, with a number that every change raises; no record is always the same.
        let [stored, state, version] = [undefined as StoredRecord | undefined, 0, 0];
        for (const { who, act } of steps) {
          const under = attempts.get(who);
          if (!under) {
            const attempt = await folders.begin(id);
            expect(attempt.record).toEqual(stored);
            attempts.set(who, { attempt, seen: stored ? state : 0 });
            continue;
          }
          if (act === "look") {
            expect(await folders.load(id)).toEqual(stored);
            continue;
          }
          attempts.delete(who);
          if (act === "leave") {
            await under.attempt.leave();
            continue;
          }
          const next = act === "end" ? null : record(++version);
          const unchanged = under.seen === (stored ? state : 0);
          // Ending a missing record does nothing.
          const expected = unchanged || (under.seen === 0 && next === null);
          expect(await under.attempt.replace(next, rules)).toBe(expected);
          if (!unchanged || (next === null && under.seen === 0)) continue;
          stored = next ?? undefined;
          state++;
        }
        for (const { attempt } of attempts.values()) await attempt.leave();
        expect(await folders.load(id)).toEqual(stored);
      }),
      { numRuns: 100 },
    );
  });

  test("fails after a sweep has looked at the record, and a new one succeeds", async () => {
    const { folders } = await open();
    const id = newId();
    await (await folders.begin(id)).replace(record(1), rules);
    const attempt = await folders.begin(id);
    await folders.inspect(id);
    expect(await attempt.replace(record(2), rules)).toBe(false);
    expect(await (await folders.begin(id)).replace(record(2), rules)).toBe(true);
    expect(await folders.load(id)).toEqual(record(2));
  });

  test("changes nothing when it is late, and leaves nothing behind", async () => {
    const { folders, directory } = await open();
    const late = { isLate: () => true, lasting: true };
    const id = newId();
    expect(await (await folders.begin(id)).replace(record(1), late)).toBe(false);
    expect(await folders.load(id)).toBeUndefined();
    await (await folders.begin(id)).replace(record(1), rules);
    expect(await (await folders.begin(id)).replace(record(2), late)).toBe(false);
    expect(await (await folders.begin(id)).replace(null, late)).toBe(false);
    expect(await folders.load(id)).toEqual(record(1));
    expect(await readdir(join(directory, "records", id.slice(0, 2), id))).toHaveLength(1);
    expect(await readdir(join(directory, "drafts"))).toEqual([]);
  });

  test("an empty folder, which a killed process left, is no record, and stops none", async () => {
    const { folders, directory } = await open();
    const id = newId();
    const folder = join(directory, "records", id.slice(0, 2), id);
    for (const body of [() => folders.load(id), () => folders.inspect(id)]) {
      await mkdir(folder);
      expect(await body()).toBeUndefined();
      expect(await readdir(join(folder, ".."))).toEqual([]);
    }
    await mkdir(folder);
    expect(await (await folders.begin(id)).replace(record(1), rules)).toBe(true);
    expect(await folders.load(id)).toEqual(record(1));
  });
});
