import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Codec, createSessionManager, defineStore, devalueCodec, type Store } from "../src/index.ts";
import { cookieFrom, request, setUp, stored, thrownBy, values } from "./support.ts";

type Plain = Store<Record<string, unknown>>;

const KEYS = ["a", "b", "c", "a/b", "__proto__"];
const key = fc.constantFrom(...KEYS);
const value = values;

type Step =
  | { do: "set"; key: string; value: unknown }
  | { do: "assign"; values: [string, unknown][] }
  | { do: "get" | "has" | "delete" | "take"; key: string }
  | { do: "update"; key: string; value: unknown }
  | { do: "clear" | "look" | "commit" | "reopen" };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant("set" as const), key, value }) },
    {
      weight: 5,
      arbitrary: fc.record({ do: fc.constantFrom("get", "has", "delete", "take" as const), key }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant("assign" as const),
        values: fc.array(fc.tuple(key, fc.oneof(value, fc.constant(undefined)))),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        do: fc.constant("update" as const),
        key,
        value: fc.oneof(value, fc.constant(undefined)),
      }),
    },
    {
      weight: 5,
      arbitrary: fc.record({ do: fc.constantFrom("clear", "look", "commit", "reopen", "look" as const) }),
    },
  ),
  { maxLength: 40 },
);

function expectSame(store: Plain, model: Map<string, unknown>): void {
  expect(store.size).toBe(model.size);
  expect(new Set(store.keys())).toStrictEqual(new Set(model.keys()));
  expect(new Map(store.entries())).toStrictEqual(model);
  expect(new Map(store)).toStrictEqual(model);
  const keys = [...store.keys()];
  expect([...store.values()]).toStrictEqual(keys.map((name) => model.get(name)));
}

describe("a store is a Map", () => {
  test("whatever is done to it, with commits and reopenings in between", async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (todo) => {
        const { sessions } = setUp();
        const cookie = await stored(sessions);
        let session = await sessions.open(cookie);
        let store: Plain = session.store("s");
        let model = new Map<string, unknown>();
        let committed = new Map(model);
        for (const step of todo) {
          if (step.do === "set") {
            expect(store.set(step.key, step.value)).toBe(store);
            model.set(step.key, step.value);
          } else if (step.do === "assign") {
            expect(store.assign(Object.fromEntries(step.values))).toBe(store);
            for (const [name, given] of Object.entries(Object.fromEntries(step.values)))
              if (given !== undefined) model.set(name, given);
          } else if (step.do === "get") expect(store.get(step.key)).toStrictEqual(model.get(step.key));
          else if (step.do === "has") expect(store.has(step.key)).toBe(model.has(step.key));
          else if (step.do === "delete") expect(store.delete(step.key)).toBe(model.delete(step.key));
          else if (step.do === "take") {
            expect(store.take(step.key)).toStrictEqual(model.get(step.key));
            model.delete(step.key);
          } else if (step.do === "update") {
            const was = model.get(step.key);
            const result = store.update(step.key, (now) => {
              expect(now).toStrictEqual(was);
              return step.value;
            });
            expect(result).toStrictEqual(step.value);
            if (step.value === undefined) model.delete(step.key);
            else model.set(step.key, step.value);
          } else if (step.do === "clear") {
            store.clear();
            model.clear();
          } else if (step.do === "look") expectSame(store, model);
          else if (step.do === "commit") {
            await session.commit();
            committed = new Map(model);
          } else {
            // What was not committed is lost.
            session = await sessions.open(cookie);
            store = session.store("s");
            model = new Map(committed);
          }
        }
        expectSame(store, model);
        await session.commit();
        expectSame((await sessions.open(cookie)).store("s"), model);
      }),
    );
  });

  test("entries can be deleted while it is iterated", async () => {
    const { sessions } = setUp();
    const store = sessions.create().store("s");
    for (const name of KEYS) store.set(name, name);
    for (const [name] of store) store.delete(name);
    expect(store.size).toBe(0);
  });

  test("asking twice for a store gives the same one", () => {
    const session = setUp().sessions.create();
    const definition = defineStore("cart");
    expect(session.store("cart")).toBe(session.store("cart"));
    expect(session.store(definition)).toBe(session.store(definition));
    expect(session.store("cart").name).toBe("cart");
    expect(session.store(definition).name).toBe("cart");
  });

  test("only stores that hold something are named", async () => {
    const { sessions } = setUp();
    const session = sessions.create();
    session.store("full").set("k", 1);
    session.store("emptied").set("k", 1);
    session.store("emptied").delete("k");
    session.store("looked.at").get("k");
    expect(session.storeNames()).toStrictEqual(["full"]);
  });

  test("assign stages all of its values or none", () => {
    const store = setUp().sessions.create().store("cart");
    store.set("items", 1);
    const uncarried = (): void => {};
    expect(() => store.assign({ items: 2, coupon: uncarried })).toThrow(TypeError);
    expect([...store]).toEqual([["items", 1]]);
  });

  test("undefined is no value: set refuses it, naming the store and the key", async () => {
    const { sessions } = setUp();
    const store = sessions.create().store("cart");
    store.set("items", 1);
    expect(() => store.set("items", undefined as unknown as number)).toThrow(TypeError);
    expect(() => store.set("items", undefined as unknown as number)).toThrow(/cart.*items/);
    expect(store.get("items")).toBe(1);
  });

  test("undefined from update is a deletion", async () => {
    const { sessions } = setUp();
    const cookie = await stored(sessions, (session) => session.store("s").set("k", 1));
    await request(sessions, cookie, (session) => {
      expect(session.store("s").update("k", () => undefined)).toBeUndefined();
      expect(session.store("s").has("k")).toBe(false);
    });
    expect((await sessions.open(cookie)).store("s").has("k")).toBe(false);
  });
});

describe("a request writes what it changed, and nothing else", () => {
  test("only changed entries reach the driver", async () => {
    const { sessions, driver } = setUp();
    const cookie = await stored(sessions, (session) => {
      for (const name of KEYS) session.store("s").set(name, name);
    });
    await request(sessions, cookie, (session) => {
      session.store("s").set("a", "new");
      session.store("s").delete("b");
    });
    const [[, change] = []] = driver.of("commit");
    expect([...(change?.fields.values() ?? [])].map((text) => text === null)).toStrictEqual([false, true]);
  });

  test("setting what is there already, or adding and deleting again, is no change", async () => {
    await fc.assert(
      fc.asyncProperty(value, async (given) => {
        const { sessions, driver } = setUp();
        const cookie = await stored(sessions, (session) => session.store("s").set("k", given));
        const result = await request(sessions, cookie, (session) => {
          const store = session.store("s");
          store.set("k", structuredClone(given));
          store.set("other", given);
          store.delete("other");
          store.update("k", (now) => now);
        });
        expect(result.status).toBe("unchanged");
        expect(driver.of("commit")).toStrictEqual([]);
      }),
    );
  });

  test("a request that only reads writes nothing, whatever the values are", async () => {
    const anything = fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true });
    await fc.assert(
      fc.asyncProperty(
        anything.filter((given) => given !== undefined),
        async (given) => {
          const { sessions, driver } = setUp();
          const cookie = await stored(sessions, (session) => {
            try {
              session.store("s").set("k", given);
            } catch {
              fc.pre(false);
            }
          });
          const session = await sessions.open(cookie);
          session.store("s").get("k");
          expect([...session.store("s")]).toHaveLength(1);
          expect((await session.commit()).status).toBe("unchanged");
          expect((await session.commit()).status).toBe("unchanged");
          expect(driver.of("commit")).toStrictEqual([]);
        },
      ),
    );
  });

  test("a new session in which nothing was written is not stored", async () => {
    const { sessions, driver } = setUp();
    const result = await request(sessions, undefined, (session) => {
      session.store("s").get("k");
      session.store("s").delete("k");
      session.store("s").clear();
      session.store("s").set("k", 1);
      session.store("s").delete("k");
    });
    expect(result).toStrictEqual({
      status: "unchanged",
      token: undefined,
      setCookie: undefined,
      cookie: undefined,
    });
    expect(driver.calls).toStrictEqual([]);
  });
});

describe("values are decoded when they are first asked for", () => {
  function counting(): { codec: Codec; decoded: unknown[] } {
    const decoded: unknown[] = [];
    return {
      decoded,
      codec: {
        encode: devalueCodec.encode,
        decode(text) {
          const result = devalueCodec.decode(text);
          decoded.push(result);
          return result;
        },
      },
    };
  }

  test("opening, naming, counting, deleting and writing decode nothing", async () => {
    const { codec, decoded } = counting();
    const { sessions } = setUp({ codec });
    const cookie = await stored(sessions, (session) => {
      for (const name of KEYS) session.store("s").set(name, { name });
    });
    const session = await sessions.open(cookie);
    const store = session.store("s");
    expect(store.has("a")).toBe(true);
    expect([...store.keys()]).toHaveLength(KEYS.length);
    expect(store.size).toBe(KEYS.length);
    store.delete("b");
    store.set("c", 1);
    await session.commit();
    store.clear();
    await session.commit();
    expect(decoded).toStrictEqual([]);
  });

  test("reading one of many decodes that one, once", async () => {
    const { codec, decoded } = counting();
    const { sessions } = setUp({ codec });
    const cookie = await stored(sessions, (session) => {
      for (const name of KEYS) session.store("s").set(name, { name });
    });
    const store = (await sessions.open(cookie)).store("s");
    const first = store.get("a");
    expect(store.get("a")).toBe(first);
    expect(decoded).toStrictEqual([{ name: "a" }]);
  });

  test("what was set is given back as it is, without a detour through text", () => {
    const { codec, decoded } = counting();
    const store = setUp({ codec }).sessions.create().store("s");
    const given = { deep: { er: [1] } };
    expect(store.set("k", given).get("k")).toBe(given);
    expect(decoded).toStrictEqual([]);
  });
});

const kinds: [string, () => unknown, (value: never) => void][] = [
  ["an object", () => ({ n: 1 }), (it: { n: number }) => void it.n++],
  ["an object that gets a key", () => ({}), (it: object) => void Object.assign(it, { n: 1 })],
  ["an object that loses a key", () => ({ n: 1 }), (it: { n?: number }) => void delete it.n],
  ["an array", () => [1], (it: number[]) => void it.push(2)],
  ["an array that shrinks", () => [1, 2], (it: number[]) => void it.pop()],
  ["an array that is sorted", () => [2, 1], (it: number[]) => void it.sort()],
  ["a Map", () => new Map([["k", 1]]), (it: Map<string, number>) => void it.set("k", 2)],
  ["a Set", () => new Set([1]), (it: Set<number>) => void it.add(2)],
  ["a Date", () => new Date(0), (it: Date) => void it.setTime(1)],
  ["bytes", () => new Uint8Array([1]), (it: Uint8Array) => void it.fill(2)],
  [
    "something deep inside",
    () => ({ list: [new Map([["k", { dates: [new Date(0)] }]])] }),
    (it: { list: Map<string, { dates: Date[] }>[] }) => void it.list[0]?.get("k")?.dates.push(new Date(1)),
  ],
];

describe.each(kinds)("mutated in place: %s", (_, make, mutate) => {
  const change = mutate as (value: unknown) => void;
  const once = make();
  change(once);

  test("after it was read", async () => {
    const { sessions, driver } = setUp();
    const cookie = await stored(sessions, (session) => session.store("s").set("k", make()));
    const result = await request(sessions, cookie, (session) => change(session.store("s").get("k")));
    expect(result.status).toBe("committed");
    expect(driver.of("commit")).toHaveLength(1);
    expect((await sessions.open(cookie)).store("s").get("k")).toStrictEqual(once);
  });

  test("after it was set, before the commit", async () => {
    const { sessions } = setUp();
    const given = make();
    const cookie = await stored(sessions, (session) => {
      session.store("s").set("k", given);
      change(given);
    });
    expect((await sessions.open(cookie)).store("s").get("k")).toStrictEqual(once);
  });

  test("between two commits, and back again", async () => {
    const { sessions } = setUp();
    const cookie = await stored(sessions, (session) => session.store("s").set("k", make()));
    const session = await sessions.open(cookie);
    const it = session.store("s").get("k");
    expect((await session.commit()).status).toBe("unchanged");
    change(it);
    expect((await session.commit()).status).toBe("committed");
    expect((await session.commit()).status).toBe("unchanged");
    expect((await sessions.open(cookie)).store("s").get("k")).toStrictEqual(once);
    session.store("s").set("k", make());
    expect((await session.commit()).status).toBe("committed");
    expect((await sessions.open(cookie)).store("s").get("k")).toStrictEqual(make());
  });

  test("as update returned it, or as an iteration gave it", async () => {
    const { sessions } = setUp();
    const cookie = await stored(sessions, (session) => {
      session.store("updated").set("k", make());
      session.store("values").set("k", make());
      session.store("entries").set("k", make());
    });
    await request(sessions, cookie, (session) => {
      change(session.store("updated").update("k", (now) => now));
      for (const it of session.store("values").values()) change(it);
      for (const [, it] of session.store("entries")) change(it);
    });
    const session = await sessions.open(cookie);
    for (const name of ["updated", "values", "entries"])
      expect([name, session.store(name).get("k")]).toStrictEqual([name, once]);
  });

  test("update is given it with the mutation", async () => {
    const { sessions } = setUp();
    const cookie = await stored(sessions, (session) => session.store("s").set("k", make()));
    await request(sessions, cookie, (session) => {
      change(session.store("s").get("k"));
      session.store("s").update("k", (now) => {
        expect(now).toStrictEqual(once);
        return now;
      });
    });
    expect((await sessions.open(cookie)).store("s").get("k")).toStrictEqual(once);
  });
});

describe("what is done after a mutation in place wins over it", () => {
  const cases: [string, (store: Plain) => void, unknown][] = [
    ["set", (store) => void store.set("k", "new"), "new"],
    ["delete", (store) => void store.delete("k"), undefined],
    ["take", (store) => void store.take("k"), undefined],
    ["clear", (store) => store.clear(), undefined],
    ["update", (store) => void store.update("k", () => "new"), "new"],
  ];

  test.each(cases)("%s", async (_, act, expected) => {
    const { sessions } = setUp();
    const cookie = await stored(sessions, (session) => session.store("s").set("k", [1]));
    await request(sessions, cookie, (session) => {
      const store = session.store("s");
      (store.get("k") as number[]).push(2);
      act(store);
    });
    expect((await sessions.open(cookie)).store("s").get("k")).toStrictEqual(expected);
  });

  test.each(cases)("%s, by the same store's other handle", async (_, act, expected) => {
    const { sessions } = setUp();
    const definition = defineStore("s");
    const cookie = await stored(sessions, (session) => session.store("s").set("k", [1]));
    await request(sessions, cookie, (session) => {
      (session.store("s").get("k") as number[]).push(2);
      act(session.store(definition));
    });
    expect((await sessions.open(cookie)).store("s").get("k")).toStrictEqual(expected);
  });
});

test("a mutation is noticed though another handle read the entry before it", async () => {
  const { sessions } = setUp();
  const cart = defineStore<{ items: string[] }>("cart");
  const cookie = await stored(sessions, (session) => session.store(cart).set("items", []));
  await request(sessions, cookie, (session) => {
    const items = session.store(cart).get("items");
    for (const name of session.storeNames()) expect([...session.store(name)]).toHaveLength(1);
    items?.push("book");
  });
  expect((await sessions.open(cookie)).store(cart).get("items")).toStrictEqual(["book"]);
});

describe("another spelling of the same value is no change", () => {
  const pretty: Codec = { encode: (it) => JSON.stringify(it, null, 2), decode: JSON.parse };
  const terse: Codec = { encode: (it) => JSON.stringify(it), decode: JSON.parse };

  test("an entry that another codec spelled is read and not written", async () => {
    const { sessions, driver, clock } = setUp({ codec: pretty });
    const cookie = await stored(sessions, (session) => session.store("s").set("k", { deep: [1, 2] }));
    const later = createSessionManager({ driver, clock, codec: terse });
    const session = await later.open(cookie);
    expect(session.store("s").get("k")).toStrictEqual({ deep: [1, 2] });
    expect((await session.commit()).status).toBe("unchanged");
    expect((await session.commit()).status).toBe("unchanged");
    expect(driver.of("commit")).toStrictEqual([]);
  });

  test("and its mutations are noticed all the same, also after a commit that found none", async () => {
    const { sessions, driver, clock } = setUp({ codec: pretty });
    const cookie = await stored(sessions, (session) => session.store("s").set("k", { deep: [1, 2] }));
    const session = await createSessionManager({ driver, clock, codec: terse }).open(cookie);
    const it = session.store("s").get("k") as { deep: number[] };
    await session.commit();
    it.deep.push(3);
    expect((await session.commit()).status).toBe("committed");
    it.deep.push(4);
    expect((await session.commit()).status).toBe("committed");
    expect((await session.commit()).status).toBe("unchanged");
    expect((await sessions.open(cookie)).store("s").get("k")).toStrictEqual({ deep: [1, 2, 3, 4] });
  });

  test("a mutation back to what was stored is written", async () => {
    const { sessions } = setUp();
    const cookie = await stored(sessions, (session) => session.store("s").set("k", [1]));
    const session = await sessions.open(cookie);
    const it = session.store("s").get("k") as number[];
    it.push(2);
    await session.commit();
    it.pop();
    expect((await session.commit()).status).toBe("committed");
    expect((await sessions.open(cookie)).store("s").get("k")).toStrictEqual([1]);
  });
});

describe("what the codec cannot carry", () => {
  class Account {
    iban = "DE-SECRET-89";
  }
  const refused: [string, unknown][] = [
    ["a function", () => "DE-SECRET-89"],
    ["a symbol", Symbol("DE-SECRET-89")],
    ["a class instance", new Account()],
    ["a function inside", { iban: "DE-SECRET-89", pay: () => 1 }],
    ["a class instance inside a Map", new Map([["DE-SECRET-89", new Account()]])],
    ["a promise", Promise.resolve("DE-SECRET-89")],
    ["a WeakMap", new WeakMap()],
  ];

  test.each(refused)(
    "%s is refused by set and update, which name the store and key, not the value",
    async (_, it) => {
      const { sessions, driver } = setUp();
      const session = await sessions.open(undefined);
      const store = session.store("pay.ments");
      for (const write of [() => store.set("account", it), () => store.update("account", () => it)]) {
        const error = await thrownBy(write);
        expect(error).toBeInstanceOf(TypeError);
        expect(error.message).toMatch(/pay\.ments/);
        expect(error.message).not.toMatch(/SECRET/);
        expect(store.has("account")).toBe(false);
      }
      expect((await thrownBy(() => store.set("account", it))).message).toMatch(/account/);
      expect((await session.commit()).status).toBe("unchanged");
      expect(driver.calls).toStrictEqual([]);
    },
  );

  test("a value that was mutated into it rejects the commit, and nothing of that commit is stored", async () => {
    const { sessions, driver } = setUp();
    const cookie = await stored(sessions, (session) => session.store("pay.ments").set("account", {}));
    const session = await sessions.open(cookie);
    const store = session.store("pay.ments");
    Object.assign(store.get("account") as object, { iban: "DE-SECRET-89", pay: () => 1 });
    store.set("other", 1);
    const error = await thrownBy(() => session.commit());
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toMatch(/pay\.ments.*account/);
    expect(error.message).not.toMatch(/SECRET/);
    expect(driver.of("commit")).toStrictEqual([]);
    // What was staged is discarded, and the session can be used again.
    expect(store.get("account")).toStrictEqual({});
    expect(store.has("other")).toBe(false);
    store.set("other", 2);
    expect((await session.commit()).status).toBe("committed");
    expect(new Map((await sessions.open(cookie)).store("pay.ments"))).toStrictEqual(
      new Map<string, unknown>([
        ["account", {}],
        ["other", 2],
      ]),
    );
  });
});

test("a flash message is read once by the requests that follow one another", async () => {
  const { sessions } = setUp();
  const cookie = await stored(sessions, (session) => session.store("flash").set("notice", "saved"));
  const taken: unknown[] = [];
  for (let visit = 0; visit < 2; visit++)
    await request(sessions, cookie, (session) => taken.push(session.store("flash").take("notice")));
  expect(taken).toStrictEqual(["saved", undefined]);
});

test("overlapping requests that write different keys all survive", async () => {
  const { sessions } = setUp();
  const cookie = await stored(sessions);
  const opened = await Promise.all(Array.from({ length: 100 }, () => sessions.open(cookie)));
  opened.forEach((session, index) => {
    session.store("s").set(`k${index}`, index);
  });
  const results = await Promise.all(opened.map((session) => session.commit()));
  expect(results.every(({ status }) => status === "committed")).toBe(true);
  const store = (await sessions.open(cookie)).store("s");
  expect(new Map(store)).toStrictEqual(new Map(opened.map((_, index) => [`k${index}`, index])));
});

test("overlapping requests that delete and write in different stores merge entry by entry", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(value, fc.constant(undefined)), { minLength: 2, maxLength: 12 }),
      fc.array(fc.nat({ max: 11 })),
      async (writes, order) => {
        const { sessions } = setUp();
        const cookie = await stored(sessions, (session) => {
          for (const index of writes.keys()) session.store(`s${index % 3}`).set(`k${index}`, "old");
        });
        const opened = await Promise.all(writes.map(() => sessions.open(cookie)));
        writes.forEach((write, index) => {
          const store = opened[index]?.store(`s${index % 3}`);
          if (write === undefined) store?.delete(`k${index}`);
          else store?.set(`k${index}`, write);
        });
        for (const index of order) await opened[index]?.commit();
        await Promise.all(opened.map((session) => session.commit()));
        const after = await sessions.open(cookie);
        writes.forEach((write, index) => {
          expect(after.store(`s${index % 3}`).get(`k${index}`)).toStrictEqual(write);
        });
      },
    ),
  );
});

test("a commit tells what is stored, and the session goes on", async () => {
  const { sessions } = setUp();
  const session = await sessions.open(undefined);
  session.store("s").set("k", 1);
  const cookie = cookieFrom(await session.commit());
  session.store("s").set("k", 2);
  await session.commit();
  expect((await sessions.open(cookie)).store("s").get("k")).toBe(2);
});
