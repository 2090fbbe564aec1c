import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createSessionManager, defineStore, type Store } from "../src/index.ts";
import {
  badKeys,
  badStoreNames,
  keys,
  request,
  setUp,
  stored,
  storeNames,
  testClock,
  values,
} from "./support.ts";

const anyValue = fc.oneof(values, fc.string({ unit: "binary" }));
const triples = fc.uniqueArray(fc.tuple(storeNames, keys, anyValue), {
  minLength: 1,
  maxLength: 25,
  selector: ([store, key]) => JSON.stringify([store, key]),
});

describe("stores are isolated, whatever they and their keys are called", () => {
  test("what is written under any names comes back under those names, through another manager too", async () => {
    await fc.assert(
      fc.asyncProperty(triples, fc.integer({ min: 1, max: 3 }), async (written, requests) => {
        const { sessions, driver, clock } = setUp();
        const cookie = await stored(sessions);
        for (let part = 0; part < requests; part++)
          await request(sessions, cookie, (session) => {
            written.forEach(([store, key, value], index) => {
              if (index % requests === part) session.store(store).set(key, value);
            });
          });

        const session = await createSessionManager({ driver, clock }).open(cookie);
        expect(new Set(session.storeNames())).toStrictEqual(new Set(written.map(([store]) => store)));
        for (const [name] of written) {
          const own = written.filter(([store]) => store === name);
          const entries = new Map(own.map(([, key, value]) => [key, value]));
          const store = session.store(name);
          expect(new Map(store)).toStrictEqual(entries);
          expect(new Set(store.keys())).toStrictEqual(new Set(entries.keys()));
          expect(store.size).toBe(entries.size);
          for (const [key, value] of entries) expect(store.get(key)).toStrictEqual(value);
        }
      }),
    );
  });

  test("a name in one store is none in another", async () => {
    await fc.assert(
      fc.asyncProperty(triples, storeNames, keys, async (written, name, key) => {
        const { sessions } = setUp();
        const cookie = await stored(sessions, (session) => {
          for (const [store, k, value] of written) session.store(store).set(k, value);
        });
        const session = await sessions.open(cookie);
        const there = written.some(([store, k]) => store === name && k === key);
        expect(session.store(name).has(key)).toBe(there);
        expect(session.store(name).delete(key)).toBe(there);
        await session.commit();
        const after = await sessions.open(cookie);
        for (const [store, k, value] of written)
          expect(after.store(store).get(k)).toStrictEqual(store === name && k === key ? undefined : value);
      }),
    );
  });

  test.each([
    [
      ["a", "b/c"],
      ["a.b", "c"],
    ],
    [
      ["a", "B"],
      ["A", "b"],
    ],
    [
      ["a", "%62"],
      ["a", "b"],
    ],
    [
      ["a", "%2F"],
      ["a", "/"],
    ],
    [
      ["a", "é"],
      ["a", "e\u0301"],
    ],
    [
      ["a", "k"],
      ["a", "k "],
    ],
    [
      ["__proto__", "constructor"],
      ["constructor", "__proto__"],
    ],
  ] as const)("%j and %j are two entries", async ([store, key], [otherStore, otherKey]) => {
    const { sessions } = setUp();
    const cookie = await stored(sessions, (session) => {
      session.store(store).set(key, "one");
      session.store(otherStore).set(otherKey, "two");
    });
    const session = await sessions.open(cookie);
    expect(session.store(store).take(key)).toBe("one");
    expect(session.store(otherStore).get(otherKey)).toBe("two");
  });

  test("clearing one store leaves the others", async () => {
    await fc.assert(
      fc.asyncProperty(triples, async (written) => {
        const { sessions } = setUp();
        const cleared = written[0]?.[0] ?? "";
        const cookie = await stored(sessions, (session) => {
          for (const [store, key, value] of written) session.store(store).set(key, value);
        });
        await request(sessions, cookie, (session) => session.store(cleared).clear());
        const session = await sessions.open(cookie);
        expect(session.store(cleared).size).toBe(0);
        expect(session.storeNames()).not.toContain(cleared);
        for (const [store, key, value] of written)
          if (store !== cleared) expect(session.store(store).get(key)).toStrictEqual(value);
      }),
    );
  });

  test("a name and a definition of that name are one store, also within one request", async () => {
    const { sessions } = setUp();
    const typed = defineStore<{ items: string[] }>("cart");
    const cookie = await stored(sessions, (session) => session.store("cart").set("items", ["apple"]));
    const session = await sessions.open(cookie);
    session.store(typed).set("items", ["pear"]);
    expect(session.store("cart").get("items")).toStrictEqual(["pear"]);
    session.store("cart").delete("items");
    expect(session.store(typed).get("items")).toBeUndefined();
  });
});

describe("what reaches a driver fits every backend", () => {
  test("field names are of a few plain characters, with a slash that an application's never begins with", async () => {
    await fc.assert(
      fc.asyncProperty(triples, async (written) => {
        const { sessions, driver } = setUp();
        const cookie = await stored(sessions);
        const own = new Set((await driver.records())[0]?.fields.keys());
        for (const field of own) expect(field).toMatch(/^\/[a-z]{1,20}$/);
        await request(sessions, cookie, (session) => {
          for (const [store, key, value] of written) session.store(store).set(key, value);
        });
        const [[, change] = []] = driver.of("commit");
        expect(change?.fields.size).toBe(written.length);
        for (const [field, text] of change?.fields ?? []) {
          expect(field).toMatch(/^[A-Za-z0-9_%-][A-Za-z0-9_%/-]{1,2047}$/);
          expect(field).toContain("/");
          expect(text?.isWellFormed()).toBe(true);
          expect(text).not.toContain("\0");
        }
      }),
    );
  });

  test("fields of one request differ although their names differ in case only", async () => {
    const { sessions, driver } = setUp();
    await stored(sessions, (session) => {
      session.store("s").set("key", 1).set("KEY", 2).set("Key", 3);
      session.store("S").set("key", 4);
    });
    const [[, record] = []] = driver.of("create");
    const fields = [...(record?.fields.keys() ?? [])].filter((field) => /key/i.test(field));
    expect(fields).toHaveLength(4);
  });

  test("an application cannot reach what the core keeps of the session", async () => {
    const { sessions, driver } = setUp();
    await stored(sessions);
    const [record] = await driver.records();
    const own = [...(record?.fields.keys() ?? [])];
    expect(own.length).toBeGreaterThan(0);
    const session = await sessions.get(record?.id ?? "");
    expect(session?.storeNames()).toStrictEqual([]);
    for (const field of own) expect(() => session?.store(field)).toThrow(TypeError);
    expect(() => session?.store("")).toThrow(TypeError);
  });
});

describe("a bad name is a mistake of the program", () => {
  test.each(badStoreNames)("%j names no store", (name) => {
    const { sessions } = setUp();
    expect(() => sessions.create().store(name as string)).toThrow(TypeError);
    expect(() => defineStore(name as string)).toThrow(TypeError);
  });

  const methods: Record<string, (store: Store<Record<string, unknown>>, key: string) => unknown> = {
    get: (store, key) => store.get(key),
    set: (store, key) => store.set(key, 1),
    delete: (store, key) => store.delete(key),
    has: (store, key) => store.has(key),
    take: (store, key) => store.take(key),
    update: (store, key) => store.update(key, () => 1),
  };

  test.each(Object.entries(methods))("%s refuses what is no key", async (_, call) => {
    const { sessions, driver } = setUp();
    const session = await sessions.open(undefined);
    for (const key of badKeys) expect(() => call(session.store("cart"), key as string)).toThrow(TypeError);
    expect((await session.commit()).status).toBe("unchanged");
    expect(driver.calls).toStrictEqual([]);
  });

  test("assign refuses what is no key, and stages nothing", () => {
    const store = setUp().sessions.create().store("cart");
    for (const key of badKeys.filter((bad) => typeof bad === "string"))
      expect(() => store.assign({ good: 1, [key]: 1 })).toThrow(TypeError);
    expect([...store.keys()]).toEqual([]);
  });

  test("the message names the store", () => {
    const store = setUp().sessions.create().store("cart");
    expect(() => store.set("", 1)).toThrow(/cart/);
  });

  test("255 bytes are a key and 256 are none, whatever the characters", () => {
    const store = setUp().sessions.create().store("cart");
    fc.assert(
      fc.property(fc.string({ unit: "binary", minLength: 1, maxLength: 300 }), (key) => {
        const fits = Buffer.byteLength(key) <= 255;
        if (fits) expect(store.set(key, 1).get(key)).toBe(1);
        else expect(() => store.set(key, 1)).toThrow(TypeError);
      }),
      { examples: [["k".repeat(255)], ["k".repeat(256)], [`${"😀".repeat(63)}abc`], ["😀".repeat(64)]] },
    );
  });
});

test("a session reads its stores however it was opened", async () => {
  const { sessions, driver } = setUp();
  const session = sessions.create();
  session.store("a").set("b/../c", "here");
  const { token = "" } = await session.commit();
  const other = createSessionManager({ driver, clock: testClock() });
  expect((await other.load(token))?.store("a").get("b/../c")).toBe("here");
  expect((await other.get(session.id))?.store("a").get("b/../c")).toBe("here");
});
