import { inspect } from "node:util";
import type { StandardSchemaV1 } from "@standard-schema/spec";
import fc from "fast-check";
import { describe, expect, expectTypeOf, test, vi } from "vitest";
import { z } from "zod";
import {
  type Codec,
  createSessionManager,
  defineStore,
  SessionCodecError,
  SessionConfigError,
  type Store,
  type StoreDefinition,
  type Versioned,
} from "../src/index.ts";
import { request, setUp, spyDriver, stored, testClock, thrownBy, values } from "./support.ts";

const SECRET = "DE-SECRET-89";

/** A Standard Schema validator without a library. */
function validator<Output>(
  validate: (value: unknown) => StandardSchemaV1.Result<Output> | Promise<StandardSchemaV1.Result<Output>>,
): StandardSchemaV1<unknown, Output> {
  return { "~standard": { version: 1, vendor: "by hand", validate } };
}

const shout = validator((value) =>
  typeof value === "string"
    ? { value: value.toUpperCase() }
    : { issues: [{ message: `expected text, got ${String(value)}`, path: ["at", { key: "here" }, 0] }] },
);

const byZod = defineStore("profile", {
  schema: {
    name: z.string().trim(),
    age: z.number().int().min(0).optional(),
    tags: z.array(z.string()).default([]),
    address: z.object({ city: z.object({ zip: z.string().length(5) }) }),
  },
});
const byHand = defineStore("loud", { schema: { word: shout } });

describe("a validator's output is what is stored", () => {
  test("by zod, defaults and transformations included", async () => {
    const { sessions } = setUp();
    const cookie = await stored(sessions, (session) => {
      const store = session.store(byZod);
      expect(store.set("name", "  Ann ").get("name")).toBe("Ann");
      expect(store.update("name", () => " Bo ")).toBe("Bo");
    });
    const session = await sessions.open(cookie);
    expect(session.store("profile").get("name")).toBe("Bo");
    expect(session.store(byZod).get("name")).toBe("Bo");
  });

  test("by hand", async () => {
    const { sessions } = setUp();
    const cookie = await stored(sessions, (session) => {
      expect(session.store(byHand).set("word", "hey").get("word")).toBe("HEY");
      expect(session.store(byHand).update("word", (now) => `${now} you`)).toBe("HEY YOU");
    });
    expect((await sessions.open(cookie)).store("loud").get("word")).toBe("HEY YOU");
  });

  test("also for what was mutated in place", async () => {
    const { sessions } = setUp();
    const list = defineStore("list", {
      schema: { words: z.array(z.string().trim()) },
    });
    const cookie = await stored(sessions, (session) => session.store(list).set("words", ["a"]));
    await request(sessions, cookie, (session) => void session.store(list).get("words")?.push("  b "));
    expect((await sessions.open(cookie)).store("list").get("words")).toStrictEqual(["a", "b"]);
  });

  test("a validator that makes another value of a valid one causes no write where nothing was changed", async () => {
    const { sessions, driver } = setUp();
    const seen = defineStore("seen", {
      schema: { page: z.object({ url: z.string(), visits: z.number().default(0) }) },
    });
    const cookie = await stored(sessions, (session) => session.store("seen").set("page", { url: "/" }));
    const session = await sessions.open(cookie);
    expect(session.store(seen).get("page")).toStrictEqual({ url: "/", visits: 0 });
    expect((await session.commit()).status).toBe("unchanged");
    expect(driver.of("commit")).toStrictEqual([]);
  });
});

describe("a value that does not fit", () => {
  type Write = [string, (store: Store<Record<string, unknown>>) => unknown, RegExp, RegExp];
  const writes: Write[] = [
    ["zod", (store) => store.set("name", { iban: SECRET }), /profile/, /name/],
    [
      "zod, deep inside",
      (store) => store.set("address", { city: { zip: SECRET } }),
      /profile.*address/,
      /city\.zip/,
    ],
  ];

  test.each(writes)("is a TypeError at set: %s", async (_, write, store, path) => {
    const { sessions } = setUp();
    const session = sessions.create();
    const error = await thrownBy(() =>
      write(session.store(byZod) as unknown as Store<Record<string, unknown>>),
    );
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toMatch(store);
    expect(error.message).toMatch(path);
    expect(inspect(error)).not.toMatch(SECRET);
    expect(session.storeNames()).toStrictEqual([]);
  });

  test("is a TypeError at set, with the path that a validator by hand tells", async () => {
    const store = setUp().sessions.create().store(byHand);
    const secret = { toString: () => SECRET } as unknown as string;
    const error = await thrownBy(() => store.set("word", secret));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toMatch(/loud.*word.*at\.here\.0/);
    expect(inspect(error)).not.toMatch(SECRET);
  });

  test("is a TypeError in update, and the entry stays as it was", () => {
    const store = setUp().sessions.create().store(byHand);
    store.set("word", "hey");
    expect(() => store.update("word", () => 5 as unknown as string)).toThrow(TypeError);
    expect(store.get("word")).toBe("HEY");
  });

  test("rejects the commit where it was mutated into that", async () => {
    const { sessions, driver } = setUp();
    const cookie = await stored(sessions, (session) => session.store(byZod).set("tags", ["a"]));
    const session = await sessions.open(cookie);
    session
      .store(byZod)
      .get("tags")
      ?.push(7 as unknown as string);
    const error = await thrownBy(() => session.commit());
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toMatch(/profile.*tags/);
    expect(driver.of("commit")).toStrictEqual([]);
  });

  test("is a SessionCodecError where it was stored, which names the store and key and never the value", async () => {
    const { sessions } = setUp();
    const cookie = await stored(sessions, (session) => {
      session.store("profile").set("address", { city: { zip: SECRET } });
      session.store("loud").set("word", { [SECRET]: SECRET });
      session.store("loud").set("other", 1);
    });
    const session = await sessions.open(cookie);
    const profile = session.store(byZod);
    const reads = [
      () => profile.get("address"),
      () => profile.take("address"),
      () => profile.update("address", (now) => now),
      () => [...profile],
      () => [...profile.values()],
    ];
    for (const read of reads) {
      const error = await thrownBy(read);
      expect(error).toBeInstanceOf(SessionCodecError);
      expect(error).toMatchObject({ code: "ERR_SESSION_CODEC", retryable: false });
      expect(error.message).toMatch(/profile.*address/);
      expect(inspect(error)).not.toMatch(SECRET);
    }
    const error = await thrownBy(() => session.store(byHand).get("word"));
    expect(error).toBeInstanceOf(SessionCodecError);
    expect(error.message).toMatch(/loud.*word/);
    expect(inspect(error)).not.toMatch(SECRET);
    // It can be replaced or removed.
    session.store(byHand).set("word", "well");
    expect(profile.delete("address")).toBe(true);
    expect((await session.commit()).status).toBe("committed");
    expect((await sessions.open(cookie)).store(byHand).get("word")).toBe("WELL");
  });
});

describe("a key that the schema does not name", () => {
  const methods: Record<string, (store: Store<Record<string, unknown>>, key: string) => unknown> = {
    get: (store, key) => store.get(key),
    set: (store, key) => store.set(key, "x"),
    delete: (store, key) => store.delete(key),
    has: (store, key) => store.has(key),
    take: (store, key) => store.take(key),
    update: (store, key) => store.update(key, () => "x"),
  };

  test.each(Object.entries(methods))("is a TypeError in %s", (_, call) => {
    const store = setUp().sessions.create().store(byHand) as unknown as Store<Record<string, unknown>>;
    for (const key of ["words", "WORD", "__proto__", "constructor", "toString"]) {
      expect(() => call(store, key)).toThrow(TypeError);
      expect(() => call(store, key)).toThrow(/loud/);
    }
  });

  test("is not listed, where another version of the application stored it", async () => {
    const { sessions } = setUp();
    const cookie = await stored(sessions, (session) => {
      session.store("loud").set("word", "HEY");
      session.store("loud").set("dropped", 1);
    });
    const store = (await sessions.open(cookie)).store(byHand);
    expect([...store]).toStrictEqual([["word", "HEY"]]);
    expect(store.size).toBe(1);
  });
});

describe("an asynchronous validator", () => {
  const late = defineStore("late", {
    schema: {
      resolves: validator(async (value) => ({ value })),
      rejects: validator(() => Promise.reject(new Error(SECRET))),
      zod: z.string().refine(async () => true),
    },
  });

  test("is a TypeError, and its promise is nobody's unhandled rejection", async () => {
    const unhandled = vi.fn();
    process.on("unhandledRejection", unhandled);
    try {
      const { sessions } = setUp();
      const cookie = await stored(sessions, (session) => session.store("late").set("resolves", "x"));
      const store = (await sessions.open(cookie)).store(late);
      for (const key of ["resolves", "rejects", "zod"] as const)
        expect(() => store.set(key, "x")).toThrow(TypeError);
      expect(() => store.set("resolves", "x")).toThrow(/late.*resolves/);
      expect(() => store.get("resolves")).toThrow(TypeError);
      // Unhandled rejections are told of after the microtasks, before the next macrotask.
      await new Promise(setImmediate);
      expect(unhandled).not.toHaveBeenCalled();
    } finally {
      process.off("unhandledRejection", unhandled);
    }
  });
});

describe("a version and its migration", () => {
  type Items = { items: { sku: string; count: number }[] };
  const migrate: Versioned["migrate"] = (value, from) =>
    from >= 1 ? value : (value as string[]).map((sku) => ({ sku, count: 1 }));
  const counted = z.array(z.object({ sku: z.string(), count: z.number() }));

  const versioned = (version: number, step: Versioned["migrate"] = migrate): StoreDefinition<Items> =>
    defineStore<Items>("cart", { version, migrate: step });

  test("upgrades what an unversioned store wrote, from 0, with the key, before it is validated", async () => {
    const { sessions } = setUp();
    const cookie = await stored(sessions, (session) => session.store("cart").set("items", ["apple"]));
    const step = vi.fn(migrate);
    const store = defineStore("cart", { schema: { items: counted }, version: 1, migrate: step });
    const session = await sessions.open(cookie);
    expect(step).not.toHaveBeenCalled();
    expect(session.store(store).get("items")).toStrictEqual([{ sku: "apple", count: 1 }]);
    expect(session.store(store).get("items")).toStrictEqual([{ sku: "apple", count: 1 }]);
    expect(step.mock.calls[0]).toStrictEqual([["apple"], 0, "items"]);
  });

  test("gets the version that the entry was written with", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 9 }),
        values,
        async (from, to, value) => {
          fc.pre(from <= to);
          const { sessions } = setUp();
          const old = defineStore("s", { version: from, migrate: (it) => it });
          const step = vi.fn<Versioned["migrate"]>((it) => it);
          const cookie = await stored(sessions, (session) => session.store(old).set("k", value));
          const session = await sessions.open(cookie);
          expect(session.store(defineStore("s", { version: to, migrate: step })).get("k")).toStrictEqual(
            value,
          );
          const froms = new Set(step.mock.calls.map(([, version]) => version));
          expect(froms).toStrictEqual(new Set(from < to ? [from] : []));
          expect((await session.commit()).status).toBe("unchanged");
          // A store that knows no versions reads it as well.
          expect((await sessions.open(cookie)).store("s").get("k")).toStrictEqual(value);
        },
      ),
    );
  });

  test("by itself causes no write", async () => {
    const { sessions, driver } = setUp();
    const cookie = await stored(sessions, (session) => {
      session.store("cart").set("items", ["apple"]);
    });
    const session = await sessions.open(cookie);
    const store = session.store(versioned(1));
    expect([...store]).toHaveLength(1);
    expect(store.get("items")).toStrictEqual([{ sku: "apple", count: 1 }]);
    expect((await session.commit()).status).toBe("unchanged");
    expect((await session.commit()).status).toBe("unchanged");
    expect(driver.of("commit")).toStrictEqual([]);
  });

  const changes: [string, (store: Store<Items>) => void][] = [
    ["set", (store) => void store.set("items", [{ sku: "pear", count: 2 }])],
    ["update", (store) => void store.update("items", () => [{ sku: "pear", count: 2 }])],
    [
      "a mutation in place",
      (store) => {
        const [item] = store.get("items") ?? [];
        Object.assign(item ?? {}, { sku: "pear", count: 2 });
      },
    ],
  ];

  test.each(changes)("is written with the new version by %s", async (_, change) => {
    const { sessions } = setUp();
    const cookie = await stored(sessions, (session) => session.store("cart").set("items", ["apple"]));
    await request(sessions, cookie, (session) => change(session.store(versioned(1))));
    const step = vi.fn(migrate);
    const after = (await sessions.open(cookie)).store(versioned(1, step));
    expect(after.get("items")).toStrictEqual([{ sku: "pear", count: 2 }]);
    expect(step).not.toHaveBeenCalled();
  });

  test("drops an entry by undefined: it is as if it were not there", async () => {
    const { sessions, driver } = setUp();
    const cookie = await stored(sessions, (session) => {
      session.store("cart").set("items", []);
      session.store("cart").set("coupon", "x");
    });
    const dropping = defineStore<{ items: unknown; coupon: string }>("cart", {
      version: 1,
      migrate: (value, _, key) => (key === "items" ? undefined : value),
    });
    const session = await sessions.open(cookie);
    const store = session.store(dropping);
    expect(store.has("items")).toBe(false);
    expect(store.get("items")).toBeUndefined();
    expect(store.take("items")).toBeUndefined();
    expect(store.delete("items")).toBe(false);
    const reader = (await sessions.open(cookie)).store(dropping);
    expect(reader.size).toBe(1);
    expect([...reader]).toStrictEqual([["coupon", "x"]]);
    expect([...reader.keys()]).toStrictEqual(["coupon"]);
    expect([...reader.values()]).toStrictEqual(["x"]);
    expect(driver.of("commit")).toStrictEqual([]);
    await request(sessions, cookie, (again) => {
      again.store(dropping).update("items", (now) => {
        expect(now).toBeUndefined();
        return "fresh";
      });
    });
    expect((await sessions.open(cookie)).store(dropping).get("items")).toBe("fresh");
  });

  test("drops an entry before a validator that would refuse undefined sees it", async () => {
    const { sessions } = setUp();
    const cookie = await stored(sessions, (session) => session.store("cart").set("items", ["apple"]));
    const schema = { items: counted };
    const store = (await sessions.open(cookie)).store(
      defineStore("cart", { schema, version: 1, migrate: () => undefined }),
    );
    expect(store.get("items")).toBeUndefined();
    expect(store.has("items")).toBe(false);
    expect(store.update("items", (now = []) => [...now, { sku: "pear", count: 1 }])).toHaveLength(1);
  });

  test("that fails is a SessionCodecError that names the store, the key and the version", async () => {
    const { sessions } = setUp();
    const cookie = await stored(sessions, (session) => session.store("cart").set("items", [SECRET]));
    const cause = new Error("cannot");
    const failing = versioned(2, () => {
      throw cause;
    });
    const error = await thrownBy(async () => (await sessions.open(cookie)).store(failing).get("items"));
    expect(error).toBeInstanceOf(SessionCodecError);
    expect(error.message).toMatch(/cart.*items.*0/);
    expect(error.message).not.toMatch(SECRET);
    expect(error.cause).toBe(cause);
  });

  test("is told apart from a codec's own text, whatever that looks like", async () => {
    const plain: Codec = { encode: String, decode: (text) => text };
    const texts = fc.oneof(
      fc.constantFrom("@", "@1", "@1 ", "@1 x", "@0 @1 x", "@ 1", "@@", "@99999999999999999 x", "@1 \n@2 x"),
      fc.string({ unit: "binary" }).filter((text) => !text.includes("\0")),
    );
    await fc.assert(
      fc.asyncProperty(texts, fc.constantFrom(undefined, 1, 2), async (text, version) => {
        const sessions = createSessionManager({ driver: spyDriver(), codec: plain, clock: testClock() });
        const step = vi.fn<Versioned["migrate"]>((it) => it);
        const store = defineStore("s", version && { version, migrate: step });
        const cookie = await stored(sessions, (session) => session.store(store).set("k", text));
        expect((await sessions.open(cookie)).store(store).get("k")).toBe(text);
        expect(step).not.toHaveBeenCalled();
        const later = defineStore("s", { version: 3, migrate: step });
        expect((await sessions.open(cookie)).store(later).get("k")).toBe(text);
        expect(step.mock.calls[0]).toStrictEqual([text, version ?? 0, "k"]);
      }),
    );
  });
});

describe("a definition that cannot work is a TypeError", () => {
  const keep = (value: unknown): unknown => value;
  test.each([
    ["version 0", { version: 0, migrate: keep }],
    ["version 1.5", { version: 1.5, migrate: keep }],
    ["version NaN", { version: Number.NaN, migrate: keep }],
    ["a version in text", { version: "1", migrate: keep }],
    ["a version without migrate", { version: 1 }],
    ["migrate without a version", { migrate: keep }],
    ["a schema that is no validator", { schema: { items: {} } }],
    ["a schema that is nothing", { schema: { items: undefined } }],
  ])("%s", (_, options) => {
    expect(() => defineStore("cart", options as unknown as Versioned)).toThrow(TypeError);
    expect(() => defineStore("cart", options as unknown as Versioned)).toThrow(/cart/);
  });
});

test("types are inferred from the validators", () => {
  expectTypeOf(byZod).toEqualTypeOf<
    StoreDefinition<{
      name: string;
      age: number | undefined;
      tags: string[];
      address: { city: { zip: string } };
    }>
  >();
  expectTypeOf(byHand).toEqualTypeOf<StoreDefinition<{ word: string }>>();
  const store = setUp().sessions.create().store(byZod);
  expectTypeOf(store.get("age")).toEqualTypeOf<number | undefined>();
  expectTypeOf(store.get("tags")).toEqualTypeOf<string[] | undefined>();
  // @ts-expect-error a key that the schema does not name
  expect(() => store.get("nme")).toThrow(TypeError);
  // @ts-expect-error a value that the validator does not return
  expect(() => store.set("age", "7")).toThrow(TypeError);
});

test("a validator that throws refuses the value, and what it threw is not passed on", async () => {
  const secret = "hunter2";
  const fussy: StandardSchemaV1<string> = {
    "~standard": {
      version: 1,
      vendor: "test",
      validate: (value) => {
        throw new Error(`cannot stand ${String(value)}`);
      },
    },
  };
  const { sessions } = setUp();
  const store = defineStore("s", { schema: { k: fussy } });
  const refused = await thrownBy(() => sessions.create().store(store).set("k", secret));
  expect(refused).toBeInstanceOf(TypeError);
  const cookie = await stored(sessions, (session) => session.store("s").set("k", secret));
  const unreadable = await thrownBy(async () => (await sessions.open(cookie)).store(store).get("k"));
  expect(unreadable).toBeInstanceOf(SessionCodecError);
  for (const error of [refused, unreadable]) expect(inspect(error, { depth: 10 })).not.toContain(secret);
});

test("an entry that cannot be read hides no other, and can be deleted", async () => {
  const { sessions } = setUp();
  const cookie = await stored(sessions, (session) => session.store("cart").set("bad", 1).set("good", 2));
  const cart = defineStore("cart", {
    version: 1,
    migrate(value, _, key) {
      if (key === "bad") throw new Error("no");
      return value;
    },
  });
  const session = await sessions.open(cookie);
  const store = session.store(cart);
  expect([store.size, store.has("bad"), store.get("good")]).toEqual([2, true, 2]);
  expect(() => store.get("bad")).toThrow(SessionCodecError);
  expect(store.delete("bad")).toBe(true);
  expect([...store.keys()]).toEqual(["good"]);
});

test("what a newer program wrote is not read as if it were known, for it would be migrated twice", async () => {
  const { sessions } = setUp();
  const newer = defineStore("s", { version: 2, migrate: (value) => value });
  const cookie = await stored(sessions, (session) => session.store(newer).set("k", 1));
  const older = defineStore("s", { version: 1, migrate: (value) => value });
  const session = await sessions.open(cookie);
  expect(() => session.store(older).get("k")).toThrow(/version 2.*1/);
  expect(() => session.store(older).update("k", () => 2)).toThrow(SessionCodecError);
});

test("a promise of another kind is one too", () => {
  const { sessions } = setUp();
  // biome-ignore lint/suspicious/noThenProperty: a thenable is what is tested
  const thenable = { then: (resolve: (value: unknown) => void) => resolve({ value: "x" }) };
  const store = defineStore("s", {
    schema: {
      k: {
        "~standard": { version: 1, vendor: "test", validate: () => thenable as unknown as { value: string } },
      },
    },
  });
  expect(() => sessions.create().store(store).set("k", "x")).toThrow(/must be synchronous/);
});

test("an asynchronous migration is refused, and its rejection harms nobody", async () => {
  const { sessions } = setUp();
  const cookie = await stored(sessions, (session) => session.store("s").set("k", 1));
  const store = defineStore("s", { version: 1, migrate: () => Promise.reject(new Error("late")) });
  const session = await sessions.open(cookie);
  expect(() => session.store(store).get("k")).toThrow(SessionCodecError);
});

test.each([
  [{ schemas: { name: shout } }, /defineStore.*"schemas".*Did you mean "schema"/],
  [{ versions: 1, migrate: () => 1 }, /defineStore.*"versions".*Did you mean "version"/],
  [{ unlike: 1 }, /defineStore.*"unlike".*schema, version, migrate/],
  [null, /defineStore/],
  ["schema", /defineStore/],
])("defineStore refuses the options %o", async (options, message) => {
  const error = await thrownBy(() => defineStore("s", options as unknown as Versioned));
  expect(error).toBeInstanceOf(SessionConfigError);
  expect(error.message).toMatch(message);
});
