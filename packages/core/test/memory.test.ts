import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  createSessionManager,
  isClosableDriver,
  isListingDriver,
  isProvisionedDriver,
  type ListedRecord,
  type ListingDriver,
} from "../src/index.ts";
import { memoryDriver } from "../src/memory.ts";
import { compileInto, HOUR, MINUTE, START, stored, testClock } from "./support.ts";

const id = (n: number): string => n.toString(16).padStart(32, "0");
const record = (expiresAt: number, principal?: string) => ({
  expiresAt,
  fields: new Map([["s/k", "1"]]),
  ...(principal !== undefined && { principal }),
});

async function all(driver: ListingDriver, principal?: string): Promise<ListedRecord[]> {
  const found: ListedRecord[] = [];
  let cursor: string | undefined;
  do {
    const page = await driver.list(
      { limit: 7, ...(cursor && { cursor }), ...(principal && { principal }) },
      START,
    );
    found.push(...page.records);
    cursor = page.cursor;
  } while (cursor !== undefined);
  return found;
}

const idsOf = async (driver: ListingDriver): Promise<string[]> =>
  (await all(driver)).map((it) => it.id).sort();

describe("no more than maxSessions are held", () => {
  type Step = { do: "create" | "load" | "commit" | "touch" | "destroy"; n: number };
  const steps = fc.array(
    fc.record<Step>({
      do: fc.constantFrom("create", "create", "load", "commit", "touch", "destroy"),
      n: fc.nat({ max: 4 }),
    }),
    { minLength: 20, maxLength: 60 },
  );

  test("and the one that goes is the least recently used", async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 3 }), steps, async (maxSessions, todo) => {
        const driver = memoryDriver({ maxSessions });
        // Oldest use first.
        let model: number[] = [];
        const use = (n: number): void => {
          model = [...model.filter((other) => other !== n), n];
        };
        for (const { do: what, n } of todo) {
          const there = model.includes(n);
          if (what === "create") {
            expect(await driver.create(id(n), record(START + HOUR, `p${n % 3}`), START)).toBe(!there);
            if (!there) use(n);
            model = model.slice(-maxSessions);
          } else if (what === "destroy") {
            expect(await driver.destroy(id(n), START)).toBe(there);
            model = model.filter((other) => other !== n);
          } else if (what === "load") {
            expect((await driver.load(id(n))) !== undefined).toBe(there);
            if (there) use(n);
          } else {
            const fields = new Map<string, string>(what === "touch" ? [] : [["s/k", "2"]]);
            const outcome = await driver.commit(id(n), { fields, expiresAt: START + HOUR }, START);
            expect(outcome).toBe(there ? "committed" : "gone");
            if (there) use(n);
          }
          // Listing is no use.
          expect(await idsOf(driver)).toStrictEqual(model.map(id).sort());
        }
        for (const principal of ["p0", "p1", "p2"])
          expect(new Set((await all(driver, principal)).map((it) => it.id))).toStrictEqual(
            new Set(model.filter((n) => `p${n % 3}` === principal).map(id)),
          );
      }),
    );
  });

  test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, "5", null])(
    "maxSessions %s is a TypeError",
    (n) => {
      expect(() => memoryDriver({ maxSessions: n as number })).toThrow(TypeError);
      expect(() => memoryDriver({ maxSessions: n as number })).toThrow(/maxSessions/);
    },
  );

  test("through a manager, the visitor who came back stays", async () => {
    const clock = testClock();
    const sessions = createSessionManager({ driver: memoryDriver({ maxSessions: 2 }), clock });
    const first = await stored(sessions);
    const second = await stored(sessions);
    await sessions.open(first);
    await stored(sessions);
    expect((await sessions.open(first)).isNew).toBe(false);
    expect((await sessions.open(second)).rejected).toBe("unknown");
  });
});

describe("expired records", () => {
  test("leave as others come, some minutes late, so that nothing grows without end", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 0, max: 20 }),
        async (many, lasting) => {
          const driver = memoryDriver();
          for (let n = 0; n < many; n++) await driver.create(id(n), record(START + MINUTE), START);
          for (let n = 0; n < lasting; n++)
            await driver.create(id(1000 + n), record(START + 10 * HOUR), START);
          const later = START + HOUR;
          for (let n = 0; n < 2 * (many + lasting); n++)
            await driver.create(id(2000 + n), record(later + HOUR), later);
          for (let n = 0; n < many; n++) expect(await driver.load(id(n))).toBeUndefined();
          for (let n = 0; n < lasting; n++) expect(await driver.load(id(1000 + n))).toBeDefined();
          expect(await all(driver)).toHaveLength(2 * (many + lasting) + lasting);
        },
      ),
    );
  });

  test("stay a while, so that a late request still learns that its session has expired", async () => {
    const clock = testClock();
    const sessions = createSessionManager({ driver: memoryDriver(), clock, idle: "10m" });
    const cookie = await stored(sessions);
    clock.advance(12 * MINUTE);
    for (let n = 0; n < 20; n++) await stored(sessions);
    expect((await sessions.open(cookie)).rejected).toBe("expired");
  });

  test("are swept by their expiry: at least `after`, less than `before`, at most `limit`", async () => {
    const moments = fc.integer({ min: 0, max: 20 }).map((n) => START + n);
    await fc.assert(
      fc.asyncProperty(
        fc.array(moments, { maxLength: 30 }),
        moments,
        moments,
        fc.integer({ min: 1, max: 40 }),
        async (expiries, after, before, limit) => {
          const driver = memoryDriver();
          for (const [n, at] of expiries.entries())
            await driver.create(id(n), record(at, `p${n % 2}`), START - 1);
          const inRange = expiries.filter((at) => after <= at && at < before).length;
          expect(await driver.sweep({ after, before, limit })).toBe(Math.min(inRange, limit));
          const left = (await all(driver)).map(({ expiresAt }) => expiresAt);
          expect(left).toHaveLength(expiries.length - Math.min(inRange, limit));
          if (inRange <= limit) expect(left.filter((at) => after <= at && at < before)).toStrictEqual([]);
          expect(await driver.sweep({ after, before, limit: 100 })).toBe(Math.max(inRange - limit, 0));
        },
      ),
    );
  });
});

describe("what goes in and out is the caller's", () => {
  test("changing what was given to create or commit changes nothing stored", async () => {
    const driver = memoryDriver();
    const fields = new Map([["s/k", "1"]]);
    await driver.create(id(1), { expiresAt: START + HOUR, fields }, START);
    fields.set("s/k", "changed").set("s/new", "1");
    const change = new Map<string, string | null>([["s/j", "2"]]);
    await driver.commit(id(1), { fields: change }, START);
    change.set("s/j", null);
    expect((await driver.load(id(1)))?.fields).toStrictEqual(
      new Map([
        ["s/k", "1"],
        ["s/j", "2"],
      ]),
    );
  });

  test("nor does changing what load or list gave, and what they gave does not change by itself", async () => {
    const driver = memoryDriver();
    await driver.create(id(1), record(START + HOUR, "ann"), START);
    const given = [
      await driver.load(id(1)),
      (await driver.list({ limit: 1 }, START)).records[0],
      (await driver.list({ limit: 1, principal: "ann" }, START)).records[0],
    ];
    for (const it of given) {
      if (!it) throw new Error("The record is not there");
      (it.fields as Map<string, string>).set("s/k", "changed").set("s/new", "1");
      Object.assign(it, { version: 99, expiresAt: 0, principal: "eve" });
    }
    const loaded = await driver.load(id(1));
    expect(loaded).toStrictEqual({ version: 1, ...record(START + HOUR, "ann") });
    await driver.commit(id(1), { fields: new Map([["s/k", "2"]]), principal: null }, START);
    expect(loaded).toStrictEqual({ version: 1, ...record(START + HOUR, "ann") });
    expect(await driver.load(id(1))).toStrictEqual({
      version: 2,
      expiresAt: START + HOUR,
      fields: new Map([["s/k", "2"]]),
    });
  });

  test("two drivers share nothing", async () => {
    const [one, two] = [memoryDriver(), memoryDriver()];
    await one.create(id(1), record(START + HOUR), START);
    expect(await two.load(id(1))).toBeUndefined();
    expect(await two.create(id(1), record(START + HOUR), START)).toBe(true);
  });
});

test("it lists, and has nothing to set up or to close", () => {
  const driver = memoryDriver();
  expect(driver.name).toBe("memory");
  expect([isListingDriver(driver), isProvisionedDriver(driver), isClosableDriver(driver)]).toStrictEqual([
    true,
    false,
    false,
  ]);
});

test("it never keeps a process alive", () => {
  const folder = mkdtempSync(join(tmpdir(), "sessions-"));
  try {
    const program = join(folder, "app.js");
    writeFileSync(
      program,
      `import { createSessionManager } from ${JSON.stringify(pathToFileURL(compileInto(folder)).href)};
       const sessions = createSessionManager();
       sessions.startSweeping({ every: "1h" });
       await sessions.create().commit();
       console.log("done");`,
    );
    // The limit is for the failure alone.
    const run = spawnSync(process.execPath, [program], { encoding: "utf8", timeout: 20_000 });
    expect(run).toMatchObject({ stdout: "done\n", stderr: "", status: 0 });
  } finally {
    rmSync(folder, { recursive: true });
  }
}, 30_000);

test("a sweep in small batches lets other work run between them", async () => {
  const driver = memoryDriver();
  for (let n = 0; n < 10_000; n++) await driver.create(id(n), record(START - HOUR), START - 2 * HOUR);
  let turns = 0;
  let sweeping = true;
  const others = (async () => {
    for (; sweeping; turns++) await new Promise(setImmediate);
  })();
  while ((await driver.sweep({ after: 0, before: START, limit: 100 })) > 0);
  sweeping = false;
  await others;
  expect(turns).toBeGreaterThan(3);
});
