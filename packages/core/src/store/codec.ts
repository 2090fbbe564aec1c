import { Buffer } from "node:buffer";
import { isDeepStrictEqual } from "node:util";
import { parse, stringify } from "devalue";
import { checkOption, hasMethods } from "../base/options.ts";
import { CODEC } from "../record/session-record.ts";

/**
 * Turns one entry's value into text and back. `encode` throws for what it cannot carry, and never drops it in
 * silence; `decode` makes a new value at every call. The text is well-formed Unicode without NUL.
 */
export interface Codec {
  /**
   * Stored with what it wrote: 1 to 64 characters of `A-Z a-z 0-9 - _ .`, another for every codec that a site has used.
   * @default "custom"
   */
  readonly name?: string | undefined;
  /** The text of a value. Throws for what it cannot carry. */
  encode(value: unknown): string;
  /** A new value from a text that `encode` made. Throws for any other. */
  decode(text: string): unknown;
}

/** The codec of every record that names none. */
export const DEFAULT_CODEC = "devalue";

/**
 * The default: JSON's values and `Date`, `Map`, `Set`, `RegExp`, `BigInt`, `URL`, `Buffer`, typed arrays, `undefined`
 * inside of objects, `NaN`, `-0`, cycles and repeated references, by the `devalue` package. Of a view of a part of
 * some memory that part alone is stored. Refuses instances of other classes, subclasses of these among them, and properties
 * that are accessors, hidden, or beside a built-in's own data.
 */
export const devalueCodec: Codec = {
  name: DEFAULT_CODEC,
  encode(value) {
    const text = stringify(value, { Buffer: bytesOfBuffer });
    // Rare, and devalue takes its time where it is given operations.
    return PART.test(text) ? stringify(value, { Buffer: bytesOfBuffer }, { operations: { viewInfo } }) : text;
  },
  decode: (text) => parse(text, { Buffer: toBuffer }),
};

/**
 * JSON for those who read the backend with other tools. Refuses what JSON would change in silence, except that a
 * property that is `undefined` is left out, and `-0` comes back as 0.
 */
export const jsonCodec: Codec = {
  name: "json",
  encode: (value) => JSON.stringify(value, refuseWhatJsonLoses),
  decode: (text) => JSON.parse(text),
};

/** The codecs by name, of which the first writes. @throws SessionConfigError */
export function codecsByName(given: Codec | readonly Codec[]): ReadonlyMap<string, Codec> {
  const codecs = new Map<string, Codec>();
  for (const codec of [given].flat()) {
    const fits = hasMethods(codec, "encode", "decode");
    checkOption(fits, "codec", "an object with the methods encode, decode, or a list of such", codec);
    const { name = "custom" } = codec;
    const isNew = typeof name === "string" && /^[\w.-]{1,64}$/.test(name) && !codecs.has(name);
    checkOption(isNew, "codec.name", "1 to 64 characters of A-Z a-z 0-9 - _ ., another for each", name);
    codecs.set(name, codec);
  }
  checkOption(codecs.size > 0, "codec", "one or more", given);
  return codecs;
}

/** What a session that is not stored yet begins with: the name of the codec that writes, unless it is the default. */
export function newFields(codecs: ReadonlyMap<string, Codec>): ReadonlyMap<string, string> {
  const [writer = DEFAULT_CODEC] = codecs.keys();
  return new Map(writer === DEFAULT_CODEC ? [] : [[CODEC, writer]]);
}

/** Sees every value before devalue does: refuses what would come back changed, and gives the bytes of a Buffer. */
function bytesOfBuffer(value: unknown): ArrayBuffer | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  if (!comesBack(value)) throw new TypeError("devalue would change this value");
  return Buffer.isBuffer(value) ? new Uint8Array(value).buffer : undefined;
}

/** How devalue writes a view of a part of its memory. */
const PART = /"(\w{4,12}Array|DataView)",\d+,/;

/** A view's own bytes alone: beside them, in Node's pool for small Buffers, may lie a token or another visitor's data. */
function viewInfo({ buffer, byteOffset, byteLength }: ArrayBufferView) {
  const isWhole = byteLength === buffer.byteLength;
  const own = isWhole ? buffer : buffer.slice(byteOffset, byteOffset + byteLength);
  return { buffer: own, byteOffset: 0, byteLength, length: 0, bufferByteLength: byteLength };
}

function toBuffer(bytes: unknown): Buffer {
  // What is stored is hostile, too: of another object `from` would take a length.
  if (!(bytes instanceof ArrayBuffer)) throw new TypeError("No bytes");
  return Buffer.from(bytes);
}

const { prototype: nativeDate } = Date;

/** Whether devalue, which goes by the tag, makes the same of it again, or refuses it. */
function comesBack(value: object): boolean {
  const tag = Object.prototype.toString.call(value).slice(8, -1);
  if (tag === "Object" || tag === "Array") return isPlain(value);
  // "Temporal.Instant" is a name in a namespace.
  const builtIn = tag.split(".").reduce<unknown>((at, name) => Reflect.get(Object(at), name), globalThis);
  const prototype: unknown = Object.getPrototypeOf(value);
  // Fake timers replace Date, and give each of theirs a constructor of its own.
  const known = [Object(builtIn).prototype, Buffer.prototype, nativeDate];
  if (!known.includes(prototype)) return false;
  // A list of its keys would be a text for each byte.
  if (ArrayBuffer.isView(value) && tag !== "DataView")
    return isDeepStrictEqual(value, Reflect.apply(Uint8Array.prototype.subarray, value, []));
  const own = Reflect.ownKeys(value).filter((key) => key !== "constructor").length;
  const least = tag === "String" ? String(value).length + 1 : Number(tag === "RegExp");
  return own === least && !Reflect.get(value, "lastIndex");
}

/** Whether it is an array or object that is no more than the data in it. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  const keys = Reflect.ownKeys(value);
  const fits = Array.isArray(value)
    ? // Its indices come first, and what else there may be comes after its length.
      prototype === Array.prototype && keys.pop() === "length"
    : prototype === null || prototype === Object.prototype;
  return (
    fits &&
    keys.every((key) => {
      const property = Reflect.getOwnPropertyDescriptor(value, key);
      return typeof key === "string" && property?.enumerable && "value" in property;
    })
  );
}

function refuseWhatJsonLoses(this: unknown, key: string): unknown {
  // The holder's own value: a Date has already become text in the second argument.
  const value: unknown = Reflect.get(Object(this), key);
  const fits =
    value === null ||
    ["string", "boolean"].includes(typeof value) ||
    Number.isFinite(value) ||
    (value === undefined && key !== "" && !Array.isArray(this)) ||
    (typeof value === "object" && Object.getPrototypeOf(value) !== null && isPlain(value));
  if (!fits) throw new TypeError("JSON cannot carry this value");
  return value;
}
