import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createExpiries, type Expiring, minuteOf } from "../src/driver/memory/expiries.ts";
import {
  createSessionManager,
  isClosableDriver,
  isListingDriver,
  isProvisionedDriver,
  type ListedRecord,
  type ListingDriver,
  SessionConfigError,
} from "../src/index.ts";
import { memoryDriver } from "../src/memory.ts";
import { compileInto, DAY, HOUR, MINUTE, START, stored, testClock } from "./support.ts";

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
    "maxSessions %s is a SessionConfigError",
    (n) => {
      expect(() => memoryDriver({ maxSessions: n as number })).toThrow(SessionConfigError);
      expect(() => memoryDriver({ maxSessions: n as number })).toThrow(/maxSessions/);
    },
  );

  test.each([
    [{ maxSesions: 5 }, /memoryDriver.*"maxSesions".*Did you mean "maxSessions"/],
    [null, /memoryDriver/],
    [5, /memoryDriver/],
  ])("options %o are a SessionConfigError", (options, message) => {
    expect(() => memoryDriver(options as object)).toThrow(SessionConfigError);
    expect(() => memoryDriver(options as object)).toThrow(message);
  });

  test("and guests go before those who are logged in", async () => {
    type Use = { do: "create" | "load" | "touch" | "login" | "logout" | "destroy"; n: number };
    const uses = fc.array(
      fc.record<Use>({
        do: fc.constantFrom(
          "create",
          "create",
          "create",
          "load",
          "touch",
          "login",
          "login",
          "logout",
          "destroy",
        ),
        n: fc.nat({ max: 7 }),
      }),
      { minLength: 20, maxLength: 80 },
    );
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 5 }), uses, async (maxSessions, todo) => {
        const driver = memoryDriver({ maxSessions });
        // Oldest use first.
        let model: { n: number; principal: string | undefined }[] = [];
        for (const { do: what, n } of todo) {
          const known = model.find((it) => it.n === n);
          const there = known ?? { n, principal: what === "create" && n % 2 === 0 ? "ann" : undefined };
          if (what === "create") {
            const isNew = await driver.create(id(n), record(START + HOUR, there.principal), START);
            expect(isNew).toBe(!known);
            if (known) continue;
          } else if (what === "destroy") await driver.destroy(id(n), START);
          else if (what === "load") await driver.load(id(n));
          else {
            const principal = { login: "bob", logout: null, touch: undefined }[what];
            const change = { fields: new Map(), expiresAt: START + HOUR };
            await driver.commit(id(n), { ...change, ...(principal !== undefined && { principal }) }, START);
            if (principal !== undefined) there.principal = principal ?? undefined;
          }
          model = model.filter((it) => it.n !== n);
          if (what !== "destroy" && (known || what === "create")) model.push(there);
          if (model.length > maxSessions) {
            const victim = model.find((it) => it.principal === undefined) ?? model[0];
            model = model.filter((it) => it !== victim);
          }
          expect(await idsOf(driver)).toStrictEqual(model.map((it) => id(it.n)).sort());
        }
      }),
    );
  });

  test("through a manager, no flood of guests logs anybody out", async () => {
    const clock = testClock();
    const sessions = createSessionManager({ driver: memoryDriver({ maxSessions: 10 }), clock });
    const members: string[] = [];
    for (let n = 0; n < 8; n++) members.push(await stored(sessions, (session) => session.login(`user ${n}`)));
    for (let n = 0; n < 100; n++) await stored(sessions);
    for (const cookie of members) expect((await sessions.open(cookie)).isNew).toBe(false);
    // Logged out, it is as any guest's.
    const left = await sessions.open(members[0]);
    await left.logout();
    for (let n = 0; n < 100; n++) await stored(sessions);
    for (const cookie of members.slice(1)) expect((await sessions.open(cookie)).isNew).toBe(false);
  });

  test("and where there is no room what has expired goes before the living", async () => {
    const driver = memoryDriver({ maxSessions: 20 });
    for (let n = 0; n < 10; n++) await driver.create(id(n), record(START + HOUR), START);
    for (let n = 10; n < 20; n++) await driver.create(id(n), record(START + MINUTE, "ann"), START);
    const later = START + 3 * MINUTE;
    for (let n = 20; n < 30; n++) await driver.create(id(n), record(later + HOUR), later);
    expect(await idsOf(driver)).toStrictEqual(
      Array.from({ length: 30 }, (_, n) => id(n)).filter((_, n) => n < 10 || n >= 20),
    );
    // And a clock that is set back brings nothing to an end.
    for (let n = 30; n < 35; n++) await driver.create(id(n), record(START + HOUR), START);
    expect(await idsOf(driver)).toHaveLength(20);
  });

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

  test("leave by no clock but the one that is shown", async () => {
    const driver = memoryDriver();
    for (let n = 0; n < 10; n++) await driver.create(id(n), record(START + MINUTE), START);
    // The look for leftovers begins, and then the clock is set back.
    await driver.create(id(100), record(START + DAY), START + HOUR);
    const left = (await all(driver)).length;
    for (let n = 101; n < 120; n++) await driver.create(id(n), record(START + DAY), START);
    expect(await all(driver)).toHaveLength(left + 19);
    for (let n = 120; n < 130; n++)
      await driver.create(id(n), record(START + DAY), START + HOUR + n * MINUTE);
    expect(await idsOf(driver)).toStrictEqual(Array.from({ length: 30 }, (_, n) => id(n + 100)));
  });

  test("never outnumber the living by much where as many come as go", async () => {
    const driver = memoryDriver();
    // One lives ten minutes; leftovers stay five more, and their minute out.
    for (let n = 0; n < 600; n++) {
      const now = START + n * 10_000;
      await driver.create(id(n), record(now + 10 * MINUTE), now);
    }
    expect((await all(driver)).length).toBeLessThanOrEqual(6 * 17);
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

test("a sweep looks at no record that expires in other minutes than its own", async () => {
  const driver = memoryDriver();
  for (let n = 0; n < 1000; n++) await driver.create(id(n), record(START + HOUR), START);
  for (let n = 1000; n < 1010; n++) await driver.create(id(n), record(START + MINUTE), START);
  let turned = false;
  setImmediate(() => {
    turned = true;
  });
  expect(await driver.sweep({ after: 0, before: START + 2 * MINUTE, limit: 100 })).toBe(10);
  // It lets other work run by how many it looked at.
  expect(turned).toBe(false);
});

test("bounds of a sweep may be any numbers", async () => {
  const driver = memoryDriver();
  for (const [n, at] of [-5 * MINUTE, 0, START].entries()) await driver.create(id(n), record(at), -HOUR);
  const { MAX_SAFE_INTEGER: most } = Number;
  expect(await driver.sweep({ after: -most, before: -most + 1, limit: 9 })).toBe(0);
  expect(await driver.sweep({ after: START + 1, before: most, limit: 9 })).toBe(0);
  expect(await driver.sweep({ after: START, before: 0, limit: 9 })).toBe(0);
  expect(await driver.sweep({ after: -most, before: 0, limit: 9 })).toBe(1);
  expect(await driver.sweep({ after: 0, before: Number.POSITIVE_INFINITY, limit: 9 })).toBe(2);
});

describe("while a sweep lets other work run", () => {
  // Some to a minute, and in each of the range's own two a part that is not in it.
  const AFTER = START + MINUTE / 2;
  const BEFORE = START + 3.5 * MINUTE;
  const inRange = (at: number): boolean => AFTER <= at && at < BEFORE;
  const expiries = fc.integer({ min: 0, max: 15 }).map((n) => START + (n * MINUTE) / 4);
  const steps = fc.array(
    fc.record({
      do: fc.constantFrom("create", "commit", "commit", "destroy", "again", "turn"),
      n: fc.nat({ max: 160 }),
      at: expiries,
    }),
    { maxLength: 60 },
  );

  test("it removes what is in the range when its turn comes, and nothing else, and ends", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(expiries, { minLength: 60, maxLength: 160 }),
        steps,
        fc.constantFrom(1, 40, 1000),
        async (begun, todo, limit) => {
          const driver = memoryDriver();
          const model = new Map(begun.entries());
          const changed = new Set<number>();
          for (const [n, at] of model) await driver.create(id(n), record(at), 0);
          let gone = 0;
          // What the sweep took since the last look.
          const look = async (): Promise<void> => {
            for (const [n, at] of model) {
              const there = await driver.load(id(n));
              if (there) expect(there.expiresAt).toBe(at);
              else {
                expect(inRange(at)).toBe(true);
                model.delete(n);
                gone++;
              }
            }
          };
          const sweep = driver.sweep({ after: AFTER, before: BEFORE, limit });
          for (const { do: what, n, at } of todo) {
            await look();
            if (what !== "turn") changed.add(n);
            if (what === "destroy" || what === "again")
              expect(await driver.destroy(id(n), 0)).toBe(model.delete(n));
            if (what === "create" || what === "again") {
              expect(await driver.create(id(n), record(at), 0)).toBe(!model.has(n));
              if (!model.has(n)) model.set(n, at);
            }
            if (what === "commit") {
              const outcome = await driver.commit(id(n), { fields: new Map(), expiresAt: at }, 0);
              expect(outcome).toBe(model.has(n) ? "committed" : "gone");
              if (model.has(n)) model.set(n, at);
            }
            if (what === "turn") await new Promise(setImmediate);
          }
          const swept = await sweep;
          await look();
          expect(swept).toBe(gone);
          expect(swept).toBeLessThanOrEqual(limit);
          // Whatever else happened, none was left that stood in the range all the time.
          const left = [...model].filter(([n, at]) => inRange(at) && !changed.has(n));
          if (swept < limit) expect(left).toStrictEqual([]);
          await driver.sweep({ after: AFTER, before: BEFORE, limit: 1000 });
          expect(await idsOf(driver)).toStrictEqual(
            [...model]
              .filter(([, at]) => !inRange(at))
              .map(([n]) => id(n))
              .sort(),
          );
        },
      ),
    );
  });

  interface Entry extends Expiring<Entry> {
    readonly n: number;
  }
  const moves = fc.array(
    fc.record({
      do: fc.constantFrom("add", "remove", "move", "walk", "walk"),
      n: fc.nat({ max: 11 }),
      at: fc.nat({ max: 7 }).map((half) => (half * MINUTE) / 2),
      walk: fc.nat({ max: 1 }),
    }),
    { minLength: 10, maxLength: 80 },
  );

  test("each walk over the index meets every record that stays in its minute once, and none that has gone", () => {
    fc.assert(
      fc.property(moves, (todo) => {
        const index = createExpiries<Entry>();
        const kept = new Map<number, Entry>();
        const [after, before] = [MINUTE, 2.5 * MINUTE];
        const isBetween = ({ expiresAt }: Entry): boolean => [1, 2].includes(minuteOf(expiresAt));
        const begin = () => ({
          records: index.between(after, before),
          due: undefined as Set<Entry> | undefined,
          met: new Set<Entry>(),
          over: false,
        });
        const walks = [begin(), begin()];
        const step = (walk: ReturnType<typeof begin>): void => {
          walk.due ??= new Set([...kept.values()].filter(isBetween));
          const { value } = walk.records.next();
          walk.over = value === undefined;
          if (!value) return;
          expect(kept.get(value.n)).toBe(value);
          expect(isBetween(value)).toBe(true);
          if (walk.due.has(value)) expect(walk.met).not.toContain(value);
          walk.met.add(value);
        };
        const disturbed = (entry: Entry): void => {
          for (const { due } of walks) due?.delete(entry);
        };
        for (const { do: what, n, at, walk } of todo) {
          const entry = kept.get(n);
          if (what === "walk") {
            const it = walks[walk];
            if (it) step(it);
          } else if (what === "add" && !entry) {
            const added: Entry = { n, expiresAt: at, previous: undefined, next: undefined };
            kept.set(n, added);
            index.add(added);
          } else if (what === "remove" && entry) {
            kept.delete(n);
            disturbed(entry);
            index.remove(entry);
          } else if (what === "move" && entry) {
            if (minuteOf(at) !== minuteOf(entry.expiresAt)) disturbed(entry);
            index.move(entry, at);
            expect(entry.expiresAt).toBe(at);
          }
        }
        for (const walk of walks) {
          while (!walk.over) step(walk);
          for (const entry of walk.due ?? []) expect(walk.met).toContain(entry);
        }
        const all = [...index.between(Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY)];
        expect(new Set(all)).toStrictEqual(new Set(kept.values()));
        expect(all).toHaveLength(kept.size);
      }),
    );
  });

  test.each([
    { many: 10, what: "beside those that it meets" },
    { many: 10, what: "in their place" },
    { many: 1, what: "in the place of the only one, whose minute ends and begins anew" },
  ])("it ends though others come as fast, $what", ({ many, what }) => {
    const index = createExpiries<Entry>();
    const entry = (n: number): Entry => ({ n, expiresAt: START, previous: undefined, next: undefined });
    for (let n = 0; n < many; n++) index.add(entry(n));
    let met = 0;
    for (const record of index.between(START, START)) {
      if (!what.startsWith("beside")) index.remove(record);
      index.add(entry(many + met));
      if (++met > 100) break;
    }
    expect(met).toBe(many);
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

describe("a listing", () => {
  const queries = [{}, { principal: "ann" }];
  const fill = async (driver: ListingDriver, many: number): Promise<void> => {
    for (let n = 0; n < many; n++) await driver.create(id(n), record(START + HOUR, "ann"), START);
  };

  test.each(queries)("of %o has no more to a page than was asked for", async (query) => {
    const driver = memoryDriver();
    await fill(driver, 25);
    for (const limit of [1, 7, 24, 25, 26]) {
      const pages: number[] = [];
      const ids = new Set<string>();
      let cursor: string | undefined;
      do {
        const page = await driver.list({ ...query, limit, cursor }, START);
        pages.push(page.records.length);
        for (const it of page.records) ids.add(it.id);
        cursor = page.cursor;
      } while (cursor !== undefined);
      expect(Math.max(...pages)).toBe(Math.min(limit, 25));
      expect(pages).toHaveLength(Math.ceil(25 / limit));
      expect(ids.size).toBe(25);
    }
  });

  test.each(queries)("of %o names what stays, and ends though others come as fast", async (query) => {
    const steps = fc.array(
      fc.record({ do: fc.constantFrom("destroy", "away", "back", "again", "touch"), n: fc.nat({ max: 19 }) }),
      { minLength: 20, maxLength: 20 },
    );
    await fc.assert(
      fc.asyncProperty(steps, fc.integer({ min: 1, max: 4 }), async (todo, limit) => {
        const driver = memoryDriver();
        // Not in the order in which they were made.
        for (let n = 0; n < 20; n++) await driver.create(id(n), record(START + HOUR), START);
        for (let n = 19; n >= 0; n--)
          await driver.commit(id(n), { fields: new Map(), principal: "ann" }, START);
        const stay = new Set(Array.from({ length: 20 }, (_, n) => id(n)));
        const seen = new Set<string>();
        let cursor: string | undefined;
        let pages = 0;
        do {
          const page = await driver.list({ ...query, limit, cursor }, START);
          for (const it of page.records) seen.add(it.id);
          cursor = page.cursor;
          const { do: what, n } = todo[pages % todo.length] ?? { do: "touch", n: 0 };
          if (what === "destroy") await driver.destroy(id(n), START);
          else {
            const principal = { away: "bob", back: "ann", again: "ann", touch: undefined }[what];
            const change = { fields: new Map([["s/k", "2"]]), ...(principal && { principal }) };
            await driver.commit(id(n), change, START);
          }
          if (what === "destroy" || (what === "away" && query.principal)) stay.delete(id(n));
          for (let more = 0; more < limit; more++)
            await driver.create(id(100 + limit * pages + more), record(START + HOUR, "ann"), START);
          expect(++pages).toBeLessThanOrEqual(21);
        } while (cursor !== undefined);
        for (const it of stay) expect(seen).toContain(it);
      }),
    );
  });

  test.each(queries)("of %o, page by page or at once, lets other work run", async (query) => {
    const driver = memoryDriver();
    await fill(driver, 5000);
    for (const limit of [500, 5000]) {
      let turns = 0;
      let listing = true;
      const others = (async () => {
        for (; listing; turns++) await new Promise(setImmediate);
      })();
      let cursor: string | undefined;
      do ({ cursor } = await driver.list({ ...query, limit, cursor }, START));
      while (cursor !== undefined);
      listing = false;
      await others;
      expect(turns).toBeGreaterThan(50);
    }
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
