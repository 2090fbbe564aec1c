import { readdir } from "node:fs/promises";
import { join } from "node:path";
import type { StoredRecord } from "@sessions/core";
import { expect, test, vi } from "vitest";
import { createFolders, type Folders } from "../src/folders.ts";
import { fileDriver } from "../src/index.ts";
import { layoutOf } from "../src/layout.ts";
import { newId, ownFolder } from "./support.ts";

/** Runs before every call to the file system, as another process would. */
const between: { intrude: (() => Promise<void>) | undefined } = vi.hoisted(() => ({ intrude: undefined }));

vi.mock("node:fs/promises", async (importOriginal) => {
  const real = await importOriginal<Record<string, unknown>>();
  const wrapped = Object.entries(real).map(([name, member]) => {
    if (typeof member !== "function") return [name, member] as const;
    const call = async (...args: unknown[]): Promise<unknown> => {
      await between.intrude?.();
      return Reflect.apply(member, real, args);
    };
    return [name, call] as const;
  });
  return Object.fromEntries(wrapped);
});

interface Step {
  readonly seen: number;
  readonly next: number;
}

/** 0 stands for no record, every other number is a record's version, used once. */
const rules = { isLate: () => false, lasting: true };
const versionOf = (record: StoredRecord | undefined): number => record?.version ?? 0;
const recordOf = (version: number): StoredRecord | null =>
  version === 0 ? null : { version, expiresAt: 1, fields: new Map() };

/** Reads and replaces once: returns the step, or `undefined` where another writer was first. */
async function change(folders: Folders, id: string, next: number): Promise<Step | undefined> {
  const attempt = await folders.begin(id);
  const seen = versionOf(attempt.record);
  if (next !== 0 || seen !== 0)
    return (await attempt.replace(recordOf(next), rules)) ? { seen, next } : undefined;
  await attempt.leave();
  return undefined;
}

/** Whether the steps, one after the other, lead from one state to another. */
const leads = (from: number, steps: readonly Step[], to: number): boolean =>
  steps.reduce((state, { seen, next }) => (state === seen ? next : Number.NaN), from) === to;

const starts = { nothing: 0, "a record": 1 };
const changes = { "a record": 100, "its end": 0 };
/** One step of other processes; 0 ends the record, `undefined` is a sweep that looks at it. */
const intrusions: Record<string, readonly (number | undefined)[]> = {
  "one change": [201],
  "two changes": [201, 202],
  "an end": [0],
  "an end and a new record": [0, 201],
  "a change, an end, a new record and a change": [201, 0, 202, 203],
  "a sweep": [undefined],
  "a change and a sweep": [201, undefined],
  "two ends": [0, 201, 0],
};

const cases = Object.entries(starts).flatMap(([start, from]) =>
  Object.entries(changes).flatMap(([what, next]) =>
    Object.entries(intrusions).map(([between, others]) => ({ start, from, what, next, between, others })),
  ),
);

test.each(cases)(
  "over $start, $what is stored wholly before or wholly after $between, at whichever call that comes",
  async ({ from, next, others }) => {
    const directory = await ownFolder();
    await fileDriver({ directory }).setup();
    const folders = createFolders(layoutOf(directory));

    // First without interference, to count the calls.
    let most = 0;
    for (let at = 0; at <= most; at++) {
      // Several runs, because random numbers decide which files are removed.
      for (let draw = 0; draw < 3; draw++) {
        const id = newId();
        if (from !== 0) await change(folders, id, from);
        const done: Step[] = [];
        let [calls, intruding] = [0, false];
        between.intrude = async () => {
          if (intruding || ++calls !== at) return;
          intruding = true;
          for (const other of others) {
            if (other === undefined) await folders.inspect(id);
            const step = other === undefined ? undefined : await change(folders, id, other);
            if (step) done.push(step);
          }
          intruding = false;
        };
        const own = await change(folders, id, next);
        between.intrude = undefined;
        most = Math.max(most, calls);
        const to = versionOf((await folders.load(id)) ?? undefined);
        const orders = own ? done.map((_, i) => done.toSpliced(i, 0, own)).concat([[...done, own]]) : [done];
        expect(
          orders.some((order) => leads(from, order, to)),
          JSON.stringify({ at, from, own, done, to }),
        ).toBe(true);
        // And the refused writers left nothing.
        const left = await readdir(join(layoutOf(directory).record(id))).catch(() => []);
        expect(left.length).toBeLessThanOrEqual(to === 0 ? 0 : 2);
        expect(await readdir(join(directory, "drafts"))).toEqual([]);
      }
    }
    // Each of its calls was tried.
    expect(most).toBeGreaterThan(from === 0 && next === 0 ? 1 : 5);
  },
);
