import { isDeepStrictEqual } from "node:util";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Codec,
  createSessionManager,
  defineStore,
  devalueCodec,
  jsonCodec,
  SessionCodecError,
  SessionConfigError,
  type SessionManager,
} from "../src/index.ts";
import { cookieOf, request, type SpyDriver, setUp, stored, type TestClock, thrownBy } from "./support.ts";

/** A codec that takes any JSON, and whose texts another could take for its own. */
const custom = (name: string | undefined, mark: string): Codec => ({
  name,
  encode: (value) => mark + JSON.stringify(value),
  decode(text) {
    if (!text.startsWith(mark)) throw new Error("not mine");
    return JSON.parse(text.slice(mark.length));
  },
});
const at1 = custom("at.one", "@1:json ");
const unnamed = custom(undefined, "~");

async function fieldsOf(driver: SpyDriver): Promise<Record<string, string>> {
  const records = (await driver.records()).filter((record) => !record.fields.has("/ended"));
  expect(records).toHaveLength(1);
  const { "/session": _, "/turns": __, ...fields } = Object.fromEntries(records[0]?.fields ?? []);
  return fields;
}

const withCodec = (
  of: { driver: SpyDriver; clock: TestClock },
  codec: Codec | readonly Codec[],
): SessionManager => createSessionManager({ driver: of.driver, clock: of.clock, codec });

describe("a record names the codec of its entries", () => {
  test("but for the default, which costs nothing", async () => {
    const { sessions, driver } = setUp();
    await stored(sessions, (session) => session.store("s").set("k", { a: 1 }));
    expect(await fieldsOf(driver)).toStrictEqual({ "s/k": '[{"a":1},1]' });
  });

  test("and its own entries are the codec's text alone: other tools see plain JSON", async () => {
    const { sessions, driver } = setUp({ codec: [jsonCodec, devalueCodec] });
    const cookie = await stored(sessions, (session) => session.store("s").set("k", { a: 1 }));
    expect(await fieldsOf(driver)).toStrictEqual({ "/codec": "json", "s/k": '{"a":1}' });
    await request(sessions, cookie, (session) => {
      session.store("s").set("again", [1]);
      session.store("s").update("k", () => ({ b: 2 }));
      session.login("ann");
    });
    expect(await fieldsOf(driver)).toStrictEqual({ "/codec": "json", "s/k": '{"b":2}', "s/again": "[1]" });
  });

  test("a codec without a name is `custom`", async () => {
    const { sessions, driver } = setUp({ codec: unnamed });
    await stored(sessions, (session) => session.store("s").set("k", 1));
    expect(await fieldsOf(driver)).toStrictEqual({ "/codec": "custom", "s/k": "~1" });
  });

  test("an entry of another codec names it, and its version", async () => {
    const of = setUp();
    const cookie = await stored(of.sessions, (session) => session.store("s").set("old", { a: 1 }));
    const both = withCodec(of, [jsonCodec, devalueCodec]);
    const cart = defineStore<{ k: number }>("cart", { version: 3, migrate: (value) => value });
    await request(both, cookie, (session) => {
      session.store("s").set("new", { a: 1 });
      session.store(cart).set("k", 5);
    });
    expect(await fieldsOf(of.driver)).toStrictEqual({
      "s/old": '[{"a":1},1]',
      "s/new": '@0:json {"a":1}',
      "cart/k": "@3:json 5",
    });
    const session = await both.open(cookie);
    expect(session.store("s").get("old")).toStrictEqual({ a: 1 });
    expect(session.store("s").get("new")).toStrictEqual({ a: 1 });
    expect(session.store(cart).get("k")).toBe(5);
    // For the same bytes a program that does not know the mark has no value at all.
    for (const text of ['@0:json {"a":1}', "@3:json 5"]) {
      expect(/^@(\d{1,16}) (.*)$/s.test(text)).toBe(false);
      expect(() => devalueCodec.decode(text)).toThrow();
      expect(() => jsonCodec.decode(text)).toThrow();
    }
  });

  test("text that looks like a mark is the codec's own", async () => {
    for (const text of ["@1:json 5", "@0 x", "@", "@1:"]) {
      const verbatim: Codec = { name: "verbatim", encode: String, decode: (it) => it };
      for (const codec of [[verbatim], [verbatim, jsonCodec], [verbatim, devalueCodec]]) {
        const { sessions } = setUp({ codec });
        const cookie = await stored(sessions, (session) => session.store("s").set("k", text));
        expect((await sessions.open(cookie)).store("s").get("k")).toBe(text);
      }
    }
  });
});

describe("an entry of a codec that the manager does not have", () => {
  test.each([
    ["the record's", [], "json"],
    ["its own", [devalueCodec], "json"],
  ])("is a SessionCodecError that names %s, for that entry alone", async (_, others, name) => {
    const of = setUp();
    const cookie = await stored(others.length > 0 ? of.sessions : withCodec(of, jsonCodec), (session) =>
      session.store("pay.ments").set("plain", 1),
    );
    await request(withCodec(of, [jsonCodec, ...others]), cookie, (session) =>
      session.store("pay.ments").set("account", [1, 2]),
    );
    const reads = withCodec(of, [custom("new", "!"), ...others]);
    await request(reads, cookie, (session) => session.store("pay.ments").set("ours", 3));
    const session = await reads.open(cookie);
    const store = session.store("pay.ments");
    const error = await thrownBy(() => store.get("account"));
    expect(error).toBeInstanceOf(SessionCodecError);
    expect(error.message).toMatch(new RegExp(`pay\\.ments.*account.*"${name}"`));
    expect(store.get("ours")).toBe(3);
    if (others.length > 0) expect(store.get("plain")).toBe(1);
    expect(store.has("account")).toBe(true);
    expect(store.set("account", 4).get("account")).toBe(4);
    expect(store.delete("plain")).toBe(true);
  });

  test("is never read as another value: arrays of JSON by devalue", async () => {
    const of = setUp({ codec: jsonCodec });
    const cookie = await stored(of.sessions, (session) => session.store("s").set("k", [[1], 2]));
    const store = (await withCodec(of, devalueCodec).open(cookie)).store("s");
    expect(() => store.get("k")).toThrow(SessionCodecError);
  });
});

describe("a value that another codec wrote", () => {
  const codecs: [string, Codec, Codec][] = [
    ["devalue, where JSON writes", devalueCodec, jsonCodec],
    ["JSON, where devalue writes", jsonCodec, devalueCodec],
    ["a codec without a name, where devalue writes", unnamed, devalueCodec],
    ["JSON, where a codec without a name writes", jsonCodec, unnamed],
  ];

  test.each(codecs)("is not written for having been read: of %s", async (_, old, fresh) => {
    const of = setUp({ codec: old });
    const cookie = await stored(of.sessions, (session) =>
      session.store("s").set("k", { a: [1, { b: "x" }] }),
    );
    const before = await fieldsOf(of.driver);
    const session = await withCodec(of, [fresh, old]).open(cookie);
    expect(session.store("s").get("k")).toStrictEqual({ a: [1, { b: "x" }] });
    expect((await session.commit()).status).toBe("unchanged");
    expect(await fieldsOf(of.driver)).toStrictEqual(before);
  });

  test.each(codecs)(
    "is written by the one that writes once it was changed in place: of %s",
    async (_, old, fresh) => {
      const of = setUp({ codec: old });
      const both = withCodec(of, [fresh, old]);
      const cookie = await stored(of.sessions, (session) => session.store("s").set("k", { a: 1 }));
      await request(both, cookie, (session) => {
        const value = session.store<{ k: { a: number } }>("s").get("k");
        if (value) value.a = 2;
      });
      expect((await fieldsOf(of.driver))["s/k"]).toBe(
        `@0:${fresh.name ?? "custom"} ${fresh.encode({ a: 2 })}`,
      );
      for (const codec of [
        [fresh, old],
        [old, fresh],
      ])
        expect((await withCodec(of, codec).open(cookie)).store("s").get("k")).toStrictEqual({ a: 2 });
      expect((await request(both, cookie, (session) => session.store("s").get("k"))).status).toBe(
        "unchanged",
      );
    },
  );

  test("may hold what the one that writes cannot carry, until it is written", async () => {
    const of = setUp();
    const cookie = await stored(of.sessions, (session) => session.store("s").set("k", { at: new Date(5) }));
    const both = withCodec(of, [jsonCodec, devalueCodec]);
    const session = await both.open(cookie);
    const value = session.store<{ k: { at: Date; more?: number } }>("s").get("k");
    expect(value).toStrictEqual({ at: new Date(5) });
    expect((await session.commit()).status).toBe("unchanged");
    if (value) value.more = 1;
    await expect(session.commit()).rejects.toThrow(TypeError);
  });

  test("may be migrated to what its own codec cannot carry", async () => {
    const of = setUp({ codec: jsonCodec });
    const cookie = await stored(of.sessions, (session) => session.store("s").set("at", [5]));
    const migrate = (value: unknown): unknown => ({ at: new Date(Number((value as number[])[0])) });
    const definition = defineStore<{ at: { at: Date } }>("s", { version: 1, migrate });
    const both = withCodec(of, [devalueCodec, jsonCodec]);
    expect((await request(both, cookie, (session) => void session.store(definition).get("at"))).status).toBe(
      "unchanged",
    );
    await request(both, cookie, (session) => session.store(definition).get("at")?.at.setTime(6));
    expect((await both.open(cookie)).store(definition).get("at")).toStrictEqual({ at: new Date(6) });
  });
});

describe("what a new session takes over keeps its codec:", () => {
  test.each(["login", "rotate"] as const)("by %s", async (how) => {
    const of = setUp({ codec: jsonCodec });
    const cookie = await stored(of.sessions, (session) => session.store("s").set("k", [[1], 2]));
    const both = withCodec(of, [devalueCodec, jsonCodec]);
    const { setCookie } = await request(both, cookie, (session) => {
      session.store("s").set("new", [3]);
      if (how === "login") session.login("ann");
      else session.rotate();
    });
    expect(await fieldsOf(of.driver)).toStrictEqual({
      "/codec": "json",
      "s/k": "[[1],2]",
      "s/new": "@0:devalue [[1],3]",
    });
    const store = (await both.open(cookieOf(setCookie))).store("s");
    expect([store.get("k"), store.get("new")]).toStrictEqual([[[1], 2], [3]]);
  });

  test.each([
    ["JSON", jsonCodec, devalueCodec, { "s/k": "[[1],2]" }],
    ["devalue", devalueCodec, jsonCodec, { "/codec": "json", "s/k": "[2]" }],
  ])("nothing is taken over from another principal, nor its codec, %s", async (_, old, fresh, fields) => {
    const of = setUp({ codec: old });
    const cookie = await stored(of.sessions, (session) => {
      session.login("ann");
      session.store("s").set("k", [1]);
    });
    await request(withCodec(of, fresh), cookie, (session) => {
      session.login("bob");
      session.store("s").set("k", [2]);
    });
    expect(await fieldsOf(of.driver)).toStrictEqual(fields);
  });

  test("after a logout the codec that writes is named", async () => {
    const of = setUp();
    const cookie = await stored(of.sessions, (session) => session.store("s").set("k", [1]));
    const session = await withCodec(of, jsonCodec).open(cookie);
    await session.logout();
    session.store("s").set("k", [2]);
    await session.commit();
    expect(await fieldsOf(of.driver)).toStrictEqual({ "/codec": "json", "s/k": "[2]" });
  });

  test.each([
    ["devalue", devalueCodec, jsonCodec],
    ["JSON", jsonCodec, devalueCodec],
  ])(
    "by the login of a request that came with the token from before a rotation: of %s",
    async (_, old, fresh) => {
      const of = setUp({ codec: old });
      const cookie = await stored(of.sessions, (session) => {
        session.login("ann");
        session.store("s").set("k", [[1], 2]);
        session.store("s").set("n", [1]);
      });
      await request(of.sessions, cookie, (session) => session.rotate());
      const both = withCodec(of, [fresh, old]);
      const late = await both.open(cookie);
      late.store("s").set("new", [3]);
      late.store<{ n: number[] }>("s").update("n", (n = []) => [...n, 2]);
      late.login("ann");
      const jar = cookieOf((await late.commit()).setCookie);
      for (const codec of [
        [fresh, old],
        [old, fresh],
      ]) {
        const store = (await withCodec(of, codec).open(jar)).store("s");
        expect(Object.fromEntries(store)).toStrictEqual({ k: [[1], 2], n: [1, 2], new: [3] });
      }
    },
  );
});

test("a codec is changed while the site runs: old, then [old, new], then [new, old], then new", async () => {
  const [old, fresh] = [devalueCodec, jsonCodec];
  const steps: readonly (readonly Codec[])[] = [[old], [old, fresh], [fresh, old], [fresh]];
  const definition = defineStore<Record<string, unknown>>("versioned", {
    version: 2,
    migrate: (value, from) => [value, from],
  });
  type Value = { readonly [key: string]: number[] };
  const values = fc.dictionary(fc.constantFrom("a", "b"), fc.array(fc.nat({ max: 3 }), { maxLength: 3 }), {
    noNullPrototype: true,
  });
  const action = fc.record({
    do: fc.constantFrom("set", "update", "mutate", "read", "login", "rotate", "delete"),
    key: fc.constantFrom("a", "b", "c"),
    value: values,
    /** In a process that is a step further, or not yet. */
    ahead: fc.boolean(),
  });
  const walks: [Codec, Codec][] = [
    [old, fresh],
    [fresh, old],
    [unnamed, at1],
    [at1, fresh],
  ];
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...walks),
      fc.array(fc.array(action, { maxLength: 6 }), { minLength: 3, maxLength: 3 }),
      async ([from, to], phases) => {
        const of = setUp();
        const managers = steps.map((codecs) =>
          withCodec(
            of,
            codecs.map((codec) => (codec === old ? from : to)),
          ),
        );
        const model = { plain: new Map<string, Value>(), versioned: new Map<string, Value>() };
        /** Whether the first codec wrote it last. */
        const writtenBy = new Map<string, number>();
        let jar: string | undefined;
        let changes = 10;
        for (const [phase, actions] of phases.entries())
          for (const { do: what, key, value, ahead } of actions) {
            changes++;
            const process = phase + (ahead ? 1 : 0);
            const sessions = managers[process];
            if (!sessions) throw new Error("No such step");
            // In the last step what the first codec wrote is an error, which is not this walk's.
            const readable = (name: string): boolean => process < 3 || (writtenBy.get(name) ?? 3) >= 2;
            const session = await sessions.open(jar);
            for (const [name, store] of [
              ["plain", session.store("plain")],
              ["versioned", session.store(definition)],
            ] as const) {
              const known = model[name];
              const field = `${name}/${key}`;
              if (what === "set") store.set(key, value);
              else if (what === "delete") store.delete(key);
              else if (what === "update" && readable(field)) store.update(key, () => value);
              else if (what === "mutate" && readable(field) && known.has(key))
                Object.assign(store.get(key) as object, { b: [changes] });
              else if (what === "read" && readable(field)) store.get(key);
              if (what === "set" || (what === "update" && readable(field))) known.set(key, value);
              if (what === "mutate" && readable(field) && known.has(key))
                known.set(key, { ...known.get(key), b: [changes] });
              if (what === "delete") known.delete(key);
              if (what === "set" || (["mutate", "update"].includes(what) && readable(field)))
                writtenBy.set(field, process);
            }
            if (what === "login") session.login("ann");
            if (what === "rotate") session.rotate();
            const { status, setCookie } = await session.commit();
            if (what === "read") expect(status).toBe("unchanged");
            jar = cookieOf(setCookie, jar);
            for (const reader of [phase, phase + 1]) {
              const open = await managers[reader]?.open(jar);
              for (const [name, store] of [
                ["plain", open?.store("plain")],
                ["versioned", open?.store(definition)],
              ] as const)
                for (const [known, expected] of model[name]) {
                  const by = writtenBy.get(`${name}/${known}`) ?? 0;
                  if (reader < 3 || by >= 2)
                    expect(isDeepStrictEqual(store?.get(known), expected)).toBe(true);
                }
            }
          }
      },
    ),
    { numRuns: 100 },
  );
  // The limit is for a machine that does much else.
}, 30_000);

describe("the list of codecs", () => {
  test.each([
    [[], /codec.*one or more/],
    [[devalueCodec, devalueCodec], /codec\.name/],
    [[unnamed, custom("custom", "x")], /codec\.name.*custom/],
    [[devalueCodec, null], /codec.*encode and decode.*null/],
    [[devalueCodec, {}], /codec.*encode and decode/],
    [custom("", ""), /codec\.name/],
    [custom("a b", ""), /codec\.name.*"a b"/],
    [custom("a:b", ""), /codec\.name/],
    [custom("a\n", ""), /codec\.name/],
    [custom("x".repeat(65), ""), /codec\.name/],
    [{ ...devalueCodec, name: 5 }, /codec\.name/],
    [{ ...devalueCodec, name: null }, /codec\.name/],
  ])("%o is a SessionConfigError", async (codec, message) => {
    const error = await thrownBy(() => createSessionManager({ codec: codec as Codec }));
    expect(error).toBeInstanceOf(SessionConfigError);
    expect(error.message).toMatch(message);
  });

  test("is read once", async () => {
    const codecs: Codec[] = [jsonCodec];
    const { sessions, driver } = setUp({ codec: codecs });
    codecs[0] = devalueCodec;
    await stored(sessions, (session) => session.store("s").set("k", [1]));
    expect((await fieldsOf(driver))["s/k"]).toBe("[1]");
  });
});

test("a record that names no codec that there can be has no entry that can be read", async () => {
  const of = setUp();
  const cookie = await stored(of.sessions, (session) => session.store("s").set("k", [1]));
  const [record] = await of.driver.records();
  for (const name of ["", "a b", "__proto__", "x".repeat(5000), "@0"]) {
    await of.driver.commit(record?.id ?? "", { fields: new Map([["/codec", name]]) }, of.clock());
    const error = await thrownBy(async () => (await of.sessions.open(cookie)).store("s").get("k"));
    expect(error).toBeInstanceOf(SessionCodecError);
    expect(error.message.length).toBeLessThan(300);
    await request(of.sessions, cookie, (session) => session.store("s").set("new", [2]));
    expect((await of.sessions.open(cookie)).store("s").get("new")).toStrictEqual([2]);
  }
});
