import { inspect } from "node:util";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import {
  type Codec,
  createSessionManager,
  devalueCodec,
  jsonCodec,
  SessionCodecError,
  type SessionManager,
} from "../src/index.ts";
import { setUp, stored, thrownBy } from "./support.ts";

const SECRET = "DE-SECRET-89";

/** Through a session and its backend, and back. */
async function roundTrip(sessions: SessionManager, value: unknown): Promise<unknown> {
  const cookie = await stored(sessions, (session) => session.store("s").set("k", value));
  return (await sessions.open(cookie)).store("s").get("k");
}

const odd = [
  "\ud800",
  "a\udc00b",
  "\udc00\ud800",
  "\0",
  "a\0b",
  "\u2028\u2029",
  "\ufeff",
  "\uffff",
  "</script>",
  "@1 x",
];
const text = fc.oneof(
  fc.constantFrom(...odd),
  fc.string({ unit: "binary" }),
  // Code units one by one: lone surrogates among them.
  fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units)),
);

describe("by default, what JavaScript programs keep in sessions comes back as it was", () => {
  test("any plain data, as deep as it goes, and what JSON would lose", async () => {
    const anything = fc
      .anything({
        withBigInt: true,
        withDate: true,
        withMap: true,
        withSet: true,
        withTypedArray: true,
        withSparseArray: true,
        stringUnit: "binary",
      })
      .filter((value) => value !== undefined && !inspect(value, { depth: null }).includes("__proto__"));
    await fc.assert(
      fc.asyncProperty(anything, async (value) => {
        expect(await roundTrip(setUp().sessions, value)).toStrictEqual(value);
      }),
      { numRuns: 300 },
    );
  });

  test("any text, as a value and as a property's name", async () => {
    await fc.assert(
      fc.asyncProperty(text, async (value) => {
        const { sessions, driver } = setUp();
        const nested = { value, list: [value], [`_${value}`]: 1 };
        expect(await roundTrip(sessions, value)).toBe(value);
        expect(await roundTrip(sessions, nested)).toStrictEqual(nested);
        for (const { fields } of await driver.records())
          for (const stored of fields.values()) {
            expect(stored.isWellFormed()).toBe(true);
            expect(stored).not.toContain("\0");
          }
      }),
    );
  });

  test.each([
    ["null", null],
    ["false", false],
    ["zero", 0],
    ["minus zero", -0],
    ["NaN", Number.NaN],
    ["infinity", Number.NEGATIVE_INFINITY],
    ["the empty text", ""],
    ["a big number", 2n ** 80n],
    ["undefined inside", { a: undefined, b: [undefined] }],
    ["a regular expression", /a\/b/giu],
    ["a URL", new URL("https://example.org/a?b#c")],
    ["a date", new Date(1.7e12)],
    ["no date", new Date(Number.NaN)],
    ["bytes", new Uint8Array([0, 255])],
  ])("%s", async (_, value) => {
    expect(await roundTrip(setUp().sessions, value)).toStrictEqual(value);
  });

  test("cycles and repeated references", async () => {
    const node: { next?: unknown; twice: object[] } = { twice: [] };
    node.next = node;
    const shared = {};
    node.twice = [shared, shared];
    const back = (await roundTrip(setUp().sessions, node)) as typeof node;
    expect(back.next).toBe(back);
    expect(back.twice[0]).toBe(back.twice[1]);
  });

  test("what it is not made for is refused, never changed in silence", async () => {
    const own = JSON.parse('{"__proto__": {"admin": true}}') as object;
    for (const value of [own, { [Symbol("s")]: 1 }, new (class Account {})(), () => 1, new Error("e")])
      expect(() => setUp().sessions.create().store("s").set("k", value)).toThrow(TypeError);
  });
});

describe("jsonCodec", () => {
  const json = fc.jsonValue().filter((value) => !Object.is(value, -0));

  test("gives back any JSON as it was, readable by other tools", async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(json, text), async (value) => {
        // JSON has no minus zero.
        fc.pre(!inspect(value, { depth: null }).includes("-0"));
        const { sessions, driver } = setUp({ codec: jsonCodec });
        expect(await roundTrip(sessions, value)).toStrictEqual(value);
        const [record] = await driver.records();
        const stored = record?.fields.get("s/k") ?? "";
        expect(stored.isWellFormed()).toBe(true);
        expect(JSON.parse(stored)).toStrictEqual(value);
      }),
    );
  });

  test("stands for itself, too", () => {
    fc.assert(
      fc.property(json, (value) => {
        fc.pre(!inspect(value, { depth: null }).includes("-0"));
        expect(jsonCodec.decode(jsonCodec.encode(value))).toStrictEqual(value);
      }),
    );
  });

  class Money {
    readonly cents = 1;
    toJSON(): number {
      return this.cents;
    }
  }
  const cycle: unknown[] = [];
  cycle.push(cycle);

  const lost: [string, unknown][] = [
    ["a date", new Date(0)],
    ["a Map", new Map()],
    ["a Set", new Set()],
    ["a regular expression", /x/],
    ["a URL", new URL("https://example.org")],
    ["bytes", new Uint8Array(1)],
    ["a Buffer", Buffer.from("x")],
    ["a function", () => 1],
    ["a symbol", Symbol("s")],
    ["a bigint", 1n],
    ["NaN", Number.NaN],
    ["infinity", Number.POSITIVE_INFINITY],
    ["a class instance", new Money()],
    ["boxed text", Object("x")],
    ["what turns itself into something else", { toJSON: () => 1 }],
    ["an error", new Error("e")],
  ];

  test.each(lost)("refuses %s, at the top and inside", (_, value) => {
    const store = setUp({ codec: jsonCodec }).sessions.create().store("s");
    for (const it of [value, [value], { a: value }, { a: [{ b: value }] }]) {
      expect(() => store.set("k", it)).toThrow(TypeError);
      expect(() => jsonCodec.encode(it)).toThrow(TypeError);
    }
    expect(store.has("k")).toBe(false);
  });

  test("refuses undefined in an array, a hole, and a cycle", () => {
    const store = setUp({ codec: jsonCodec }).sessions.create().store("s");
    const hole: number[] = [];
    hole[1] = 1;
    for (const it of [[undefined], [1, undefined, 2], { a: [undefined] }, hole, cycle])
      expect(() => store.set("k", it)).toThrow(TypeError);
    expect(() => jsonCodec.encode(undefined)).toThrow(TypeError);
  });
});

describe("a codec of the application's own", () => {
  test("encodes what is written and decodes what is read, with its own `this`", async () => {
    class Reversed implements Codec {
      readonly mark = "~";
      encode(value: unknown): string {
        return this.mark + JSON.stringify(value);
      }
      decode(encoded: string): unknown {
        if (!encoded.startsWith(this.mark)) throw new Error("not mine");
        return JSON.parse(encoded.slice(1));
      }
    }
    const { sessions, driver } = setUp({ codec: new Reversed() });
    expect(await roundTrip(sessions, { a: 1 })).toStrictEqual({ a: 1 });
    expect((await driver.records())[0]?.fields.get("s/k")).toBe('~{"a":1}');
  });

  const broken: [string, (value: unknown) => unknown][] = [
    ["undefined", () => undefined],
    ["null", () => null],
    ["bytes", (value) => Buffer.from(String(value))],
    ["an object", (value) => ({ value })],
    ["a promise", async (value) => String(value)],
    ["text with NUL", (value) => `${value}\0`],
    ["text with half a character", (value) => `${value}\ud800`],
  ];

  test.each(broken)("that answers with %s is a TypeError at set, without the value", async (_, encode) => {
    const codec = { encode, decode: devalueCodec.decode } as unknown as Codec;
    const { sessions, driver } = setUp({ codec });
    const session = await sessions.open(undefined);
    const error = await thrownBy(() => session.store("pay.ments").set("account", SECRET));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toMatch(/pay\.ments.*account/);
    expect(inspect(error)).not.toMatch(SECRET);
    await session.commit();
    expect(driver.calls).toStrictEqual([]);
  });

  test("that throws the value at us is not repeated: neither writing nor reading", async () => {
    const throwing = (value: unknown): never => {
      throw Object.assign(new Error(`cannot: ${String(value)}`), { value });
    };
    const { sessions, driver, clock } = setUp();
    const writes = createSessionManager({ driver, clock, codec: { ...devalueCodec, encode: throwing } });
    const refused = await thrownBy(() => writes.create().store("pay.ments").set("account", SECRET));
    expect(refused).toBeInstanceOf(TypeError);
    expect(refused.message).toMatch(/pay\.ments.*account/);
    expect(inspect(refused)).not.toMatch(SECRET);

    const cookie = await stored(sessions, (session) => session.store("pay.ments").set("account", SECRET));
    const reads = createSessionManager({ driver, clock, codec: { ...devalueCodec, decode: throwing } });
    const session = await reads.open(cookie);
    const unread = await thrownBy(() => session.store("pay.ments").get("account"));
    expect(unread).toBeInstanceOf(SessionCodecError);
    expect(unread.message).toMatch(/pay\.ments.*account/);
    expect(inspect(unread)).not.toMatch(SECRET);
  });

  test("what is stored and cannot be decoded names the store and key, and can be replaced", async () => {
    const { sessions, driver, clock } = setUp({ codec: { encode: () => `{${SECRET}`, decode: () => 1 } });
    const cookie = await stored(sessions, (session) => session.store("pay.ments").set("account", 1));
    for (const codec of [devalueCodec, jsonCodec]) {
      const session = await createSessionManager({ driver, clock, codec }).open(cookie);
      const store = session.store("pay.ments");
      const error = await thrownBy(() => store.get("account"));
      expect(error).toBeInstanceOf(SessionCodecError);
      expect(error).toMatchObject({ name: "SessionCodecError", code: "ERR_SESSION_CODEC" });
      expect(error.message).toMatch(/pay\.ments.*account/);
      expect(inspect(error)).not.toMatch(SECRET);
      expect(store.has("account")).toBe(true);
      expect(store.set("account", 2).get("account")).toBe(2);
      expect(store.delete("account")).toBe(true);
    }
  });

  test("decodes nothing of what another store holds", async () => {
    const decode = vi.fn(devalueCodec.decode);
    const { sessions } = setUp({ codec: { ...devalueCodec, decode } });
    const cookie = await stored(sessions, (session) => {
      session.store("a").set("k", 1);
      session.store("b").set("k", 2);
    });
    expect([...(await sessions.open(cookie)).store("b").values()]).toStrictEqual([2]);
    expect(decode).toHaveBeenCalledTimes(1);
  });
});

test("jsonCodec refuses keys that are symbols, which JSON would drop", () => {
  expect(() => jsonCodec.encode({ a: { [Symbol("x")]: 1 } })).toThrow(TypeError);
});
