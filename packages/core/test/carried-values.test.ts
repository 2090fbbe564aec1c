import { inspect, isDeepStrictEqual } from "node:util";
import { runInNewContext } from "node:vm";
import { stringify } from "devalue";
import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import { devalueCodec, jsonCodec } from "../src/index.ts";
import { setUp, stored } from "./support.ts";

class OurDate extends Date {}
class OurMap extends Map<unknown, unknown> {}
class OurSet extends Set<unknown> {}
class OurArray extends Array<unknown> {}
class OurRegExp extends RegExp {}
class OurUrl extends URL {}
class OurParams extends URLSearchParams {}
class OurBytes extends Uint8Array {}
class OurBuffer extends ArrayBuffer {}
class OurNumber extends Number {}
class OurText extends String {}
class OurError extends Error {}
class LikeUrl {
  readonly [Symbol.toStringTag] = "URL";
  toString(): string {
    return "https://example.org";
  }
}
const hidden = (on: object): object => Object.defineProperty(on, "hidden", { value: 1 });
const getter = (on: object): object => Object.defineProperty(on, "a", { get: () => 1, enumerable: true });
const setter = (on: object): object => Object.defineProperty(on, "a", { set() {}, enumerable: true });
const extra = (on: object): object => Object.assign(on, { extra: 1 });
const marked = (on: object): object => Object.assign(on, { [Symbol("s")]: 1 });
const of = (prototype: object | null, on: object): object => Object.setPrototypeOf(on, prototype);
const used = (): RegExp => {
  const pattern = /a/g;
  pattern.test("a");
  return pattern;
};

/** One of each kind that comes back as it was, made anew at every call. */
const carried: Record<string, () => unknown> = {
  "an empty Buffer": () => Buffer.alloc(0),
  "a Buffer": () => Buffer.from("héllo"),
  "a slice of a Buffer": () => Buffer.from("0123456789").subarray(3, 5),
  "a large Buffer": () => Buffer.alloc(100_000, 7),
  "a Uint8Array": () => new Uint8Array([1, 2]),
  "a part of a Uint8Array": () => new Uint8Array([1, 2, 3]).subarray(1),
  "floating points": () => new Float64Array([Number.NaN, -0, 1.5]),
  "big integers": () => new BigInt64Array([-(2n ** 63n)]),
  "a DataView": () => new DataView(new ArrayBuffer(8), 2, 4),
  "an ArrayBuffer": () => new ArrayBuffer(3),
  "a date": () => new Date(5),
  "a pattern": () => /a\n/giu,
  "a URL": () => new URL("https://example.org/a?b#c"),
  "a Map": () => new Map<unknown, unknown>([[{ a: 1 }, new Map([[1, 2]])]]),
  "a Set": () => new Set([{ a: 1 }, "b"]),
  "a hole": () => Object.assign([1], { 2: 3 }),
  "many holes": () => Object.assign([], { 5000: 3 }),
  "an object without a prototype": () => of(null, { a: 1 }),
  "boxed text": () => Object("x\ud800"),
  "a boxed number": () => Object(-0),
  "a boxed big number": () => Object(5n),
  "boxed false": () => Object(false),
  "what is frozen": () => Object.freeze({ a: Object.freeze([1]) }),
  undefined: () => ({ a: undefined, b: [undefined] }),
  "a constructor and a hasOwnProperty": () => ({ constructor: 1, hasOwnProperty: 2, toJSON: 3 }),
};

/** One of each kind that would come back changed. */
const changed: Record<string, () => unknown> = {
  "a subclass of Date": () => new OurDate(5),
  "a subclass of Map": () => new OurMap([[1, 2]]),
  "a subclass of Set": () => new OurSet([1]),
  "a subclass of Array": () => OurArray.from([1]),
  "a subclass of RegExp": () => new OurRegExp("a"),
  "a subclass of URL": () => new OurUrl("https://example.org"),
  "a subclass of URLSearchParams": () => new OurParams("a=1"),
  "a subclass of Uint8Array": () => new OurBytes([1]),
  "a subclass of DataView": () => of(Object.create(DataView.prototype), new DataView(new ArrayBuffer(1))),
  "a subclass of ArrayBuffer": () => new OurBuffer(3),
  "a subclass of Number": () => new OurNumber(1),
  "a subclass of String": () => new OurText("x"),
  "a subclass of Buffer": () => of(Object.create(Buffer.prototype), Buffer.from("x")),
  "an error": () => new OurError("x"),
  "what only looks like a URL": () => new LikeUrl(),
  "what was made by Object.create": () =>
    Object.create({ inherited: 1 }, { own: { value: 1, enumerable: true } }),
  "what inherits from what inherits nothing": () => Object.create(Object.create(null)),
  "an array without a prototype": () => of(null, [1]),
  "a date without a prototype": () => of(null, new Date(5)),
  "an object of another realm": () => runInNewContext("({ a: 1 })"),
  "an array of another realm": () => runInNewContext("[1]"),
  "a date of another realm": () => runInNewContext("new Date(5)"),
  arguments: () =>
    (function given(..._: number[]) {
      // biome-ignore lint/complexity/noArguments: that is the kind
      return arguments;
    })(1),
  "a pattern that stands in the middle of a text": used,
  "a match": () => /a/.exec("a"),
  "a template's texts": () => ((texts: TemplateStringsArray) => texts)`a`,
  ...Object.fromEntries(
    Object.entries({ getter, setter, hidden, marked }).flatMap(([what, on]) => [
      [`an object with a ${what}`, () => on({ b: 1 })],
      [`an object without a prototype, with a ${what}`, () => on(of(null, {}))],
      [`an array with a ${what}`, () => on([1])],
    ]),
  ),
  "an array with a getter for an index": () =>
    Object.defineProperty([1], 0, { get: () => 1, enumerable: true }),
  "an array with a hidden index": () => Object.defineProperty([1], 0, { value: 1, enumerable: false }),
  ...Object.fromEntries(
    [
      ...[() => [1], () => new Date(5), () => new Map(), () => new Set(), () => /a/],
      ...[() => new Uint8Array(2), () => new Float32Array(2), () => new DataView(new ArrayBuffer(1))],
      ...[
        () => Buffer.from("x"),
        () => new ArrayBuffer(1),
        () => Object("x"),
        () => Object(1),
        () => Object(1n),
      ],
      ...[() => new URL("https://example.org"), () => new URLSearchParams()],
    ].flatMap((make) => {
      const name = Object.prototype.toString.call(make());
      return [
        [`${Buffer.isBuffer(make()) ? "a Buffer" : name} with a property more`, () => extra(make())],
        [`${Buffer.isBuffer(make()) ? "a Buffer" : name} with a symbol more`, () => marked(make())],
      ];
    }),
  ),
  "a function": () => () => 1,
  "a symbol": () => Symbol("x"),
  "a boxed symbol": () => Object(Symbol("x")),
  "a promise": () => Promise.resolve(1),
  "a WeakMap": () => new WeakMap(),
  "shared memory": () => new Uint8Array(new SharedArrayBuffer(1)),
  "a proxy of a Map": () => new Proxy(new Map(), {}),
  "a proxy of a date": () => new Proxy(new Date(5), {}),
  "an iterator": () => [1].values(),
  Math: () => Math,
};

/** A value, and where it may lie in another. */
const places: [string, (value: unknown) => unknown][] = [
  ["by itself", (value) => value],
  ["in an object", (value) => ({ a: { b: value } })],
  ["in an array", (value) => [[1, value]]],
  ["in a Map", (value) => new Map([["a", value]])],
  ["as a Map's key", (value) => new Map([[value, 1]])],
  ["in a Set", (value) => new Set([value])],
];

describe("by default", () => {
  test.each(Object.keys(carried))("%s comes back as it was, wherever it lies", async (kind) => {
    for (const [, at] of places) {
      const { sessions } = setUp();
      const cookie = await stored(sessions, (session) => session.store("s").set("k", at(carried[kind]?.())));
      const session = await sessions.open(cookie);
      expect(isDeepStrictEqual(session.store("s").get("k"), at(carried[kind]?.()))).toBe(true);
      // Having been read is no change.
      expect((await session.commit()).status).toBe("unchanged");
    }
  });

  test.each(Object.keys(changed))("%s is refused, wherever it lies", (kind) => {
    for (const [, at] of places) {
      const store = setUp().sessions.create().store("s");
      expect(() => store.set("k", at(changed[kind]?.()))).toThrow(TypeError);
      expect(() => devalueCodec.encode(at(changed[kind]?.()))).toThrow();
      expect(store.has("k")).toBe(false);
    }
  });

  test("what is taken comes back with the same values, prototypes and references", async () => {
    const leaves = Object.values({ ...carried, ...changed }).map((make) => fc.constant(null).map(make));
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: "small" },
        fc.oneof(...leaves),
        fc.anything({
          withDate: true,
          withMap: true,
          withSet: true,
          withNullPrototype: true,
          withTypedArray: true,
        }),
        fc.array(tie("value"), { maxLength: 3 }),
        fc.dictionary(fc.string(), tie("value"), { maxKeys: 3 }),
        fc.uniqueArray(fc.tuple(tie("value"), tie("value")), { maxLength: 2 }).map((all) => new Map(all)),
        tie("value").map((it) => ({ first: it, again: it })),
      ),
    }));
    let taken = 0;
    await fc.assert(
      fc.asyncProperty(value, async (it) => {
        // Of Node's own comparison two of them are not equal.
        fc.pre(!inspect(it, { depth: null }).includes("Invalid Date"));
        let text: string;
        try {
          text = devalueCodec.encode(it);
        } catch {
          return;
        }
        taken++;
        const back = devalueCodec.decode(text);
        expect(isDeepStrictEqual(back, it)).toBe(true);
        expect(devalueCodec.encode(back)).toBe(text);
      }),
      { numRuns: 2000 },
    );
    expect(taken).toBeGreaterThan(300);
  });

  test("a Buffer that is there twice comes back as one", () => {
    const bytes = Buffer.from("x");
    const back = devalueCodec.decode(devalueCodec.encode([bytes, { bytes }])) as [Buffer, { bytes: Buffer }];
    expect(back[0]).toBe(back[1].bytes);
    expect(back[0]).toStrictEqual(bytes);
  });

  test("what was carried before is written as it was, but for the memory beside what is shown", () => {
    for (const [kind, make] of Object.entries(carried)) {
      const value = make();
      const isPart = ArrayBuffer.isView(value) && value.byteLength < value.buffer.byteLength;
      if ((!kind.includes("Buffer") || kind === "an ArrayBuffer") && !isPart)
        expect(devalueCodec.encode(value)).toBe(stringify(value));
    }
    const whole = new Uint8Array([1, 2, 3]).subarray(1);
    expect(devalueCodec.decode(stringify(whole))).toStrictEqual(whole);
    // A Buffer was written as this.
    const old = devalueCodec.decode(stringify(Buffer.from("x")));
    expect(old).toStrictEqual(new Uint8Array([120]));
  });

  test.each(["Uint8Array", "Uint16Array", "DataView"] as const)(
    "of a %s in Node's pool the bytes shown alone are stored",
    (name) => {
      const { buffer, byteOffset } = Buffer.from("the neighbour's token");
      const part = Reflect.construct(globalThis[name], [buffer, byteOffset + (byteOffset % 2), 2]);
      const text = devalueCodec.encode({ part });
      expect(text.length).toBeLessThan(60);
      expect(devalueCodec.decode(text)).toStrictEqual({ part });
    },
  );

  test("a Buffer in the backend is made of bytes alone", () => {
    for (const text of [
      '[["Buffer",1],1000000000]',
      '[["Buffer",1],{"length":2},1000000000]',
      '[["Buffer",1],"x"]',
    ])
      expect(() => devalueCodec.decode(text)).toThrow();
  });

  describe("under fake timers", () => {
    afterEach(() => {
      vi.useRealTimers();
    });

    test("dates are dates, those from before as well", () => {
      const before = new Date(5);
      vi.useFakeTimers();
      for (const date of [before, new Date(5), new Date()])
        expect(devalueCodec.decode(devalueCodec.encode({ date }))).toEqual({ date });
    });
  });
});

describe("jsonCodec refuses what would come back changed:", () => {
  const kinds = Object.keys({ ...carried, ...changed }).filter(
    (kind) => !["undefined", "what is frozen", "a constructor and a hasOwnProperty"].includes(kind),
  );

  test.each(kinds)("%s", (kind) => {
    const make = carried[kind] ?? changed[kind];
    for (const it of [make?.(), { a: make?.() }, [[make?.()]]])
      expect(() => jsonCodec.encode(it)).toThrow(TypeError);
  });
});
