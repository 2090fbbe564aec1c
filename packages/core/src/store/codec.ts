import { Buffer } from "node:buffer";
import { isDeepStrictEqual } from "node:util";
import { parse, stringify } from "devalue";
import { checkOption, hasMethods, tagOf } from "../base/options.ts";
import { CODEC } from "../record/session-record.ts";

/**
 * Turns the value of one entry into text and back. The text is well-formed Unicode without NUL. See {@link
 * devalueCodec} and {@link jsonCodec}.
 *
 * @example
 * import { type Codec, createSessionManager, devalueCodec, jsonCodec } from "@sessions/core";
 *
 * const codec: Codec = {
 *   name: "json-base64",
 *   encode: (value) => btoa(encodeURIComponent(jsonCodec.encode(value))),
 *   decode: (text) => jsonCodec.decode(decodeURIComponent(atob(text))),
 * };
 * // The first codec writes. The others read what they wrote before.
 * const sessions = createSessionManager({ codec: [codec, devalueCodec] });
 */
export interface Codec {
  /**
   * Stored with the entries: 1 to 64 characters of `A-Z a-z 0-9 - _ .`. Each codec that a site uses, or has used, needs
   * its own name.
   * @default "custom"
   */
  readonly name?: string | undefined;
  /** Returns the text of a value. Throws if the codec cannot carry the value, and never drops a part of it silently. */
  encode(value: unknown): string;
  /** Returns a new value, at each call, from a text that `encode` made. Throws for any other text. */
  decode(text: string): unknown;
}

/** The codec of every record that does not name another one. */
export const DEFAULT_CODEC = "devalue";

/**
 * The default codec, by the package `devalue`. It carries JSON's values and `Date`, `Map`, `Set`, `RegExp`, `BigInt`,
 * `URL`, `Buffer`, typed arrays, `undefined` inside objects, `NaN`, `-0`, cycles and repeated references. It refuses
 * instances of other classes and of subclasses, accessors, properties that are not enumerable, and extra properties of
 * a built-in object.
 *
 * Of a typed array that shows a part of a buffer, only that part is stored.
 *
 * @example
 * const text = devalueCodec.encode({ since: new Date(0), tags: new Set(["tea"]) });
 * const value = devalueCodec.decode(text); // a Date and a Set again
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
 * A codec that writes JSON, so that other tools can read the backend. It refuses each value that JSON would silently
 * change, such as a `Date` or `NaN`, with two exceptions: a property that is `undefined` is left out, and `-0` comes
 * back as 0.
 *
 * @example
 * const sessions = createSessionManager({ codec: jsonCodec });
 */
export const jsonCodec: Codec = {
  name: "json",
  encode: (value) => JSON.stringify(value, refuseWhatJsonLoses),
  decode: (text) => JSON.parse(text),
};

/** The codecs by name. The first one writes. @throws SessionConfigError */
export function codecsByName(given: Codec | readonly Codec[]): ReadonlyMap<string, Codec> {
  const codecs = new Map<string, Codec>();
  for (const codec of [given].flat()) {
    const fits = hasMethods(codec, "encode", "decode");
    checkOption(fits, "codec", "an object with encode and decode, or a list of them", codec);
    const { name = "custom" } = codec;
    const isNew = typeof name === "string" && /^[\w.-]{1,64}$/.test(name) && !codecs.has(name);
    checkOption(isNew, "codec.name", "1 to 64 characters of A-Z a-z 0-9 - _ ., another for each", name);
    codecs.set(name, codec);
  }
  checkOption(codecs.size > 0, "codec", "one or more", given);
  return codecs;
}

/** The fields of a session that is not stored yet: the name of the codec that writes, unless it is the default. */
export function newFields(codecs: ReadonlyMap<string, Codec>): ReadonlyMap<string, string> {
  const [writer = DEFAULT_CODEC] = codecs.keys();
  return new Map(writer === DEFAULT_CODEC ? [] : [[CODEC, writer]]);
}

/**
 * devalue calls this for every value first. Refuses a value that would come back changed; returns the bytes of a
 * Buffer.
 */
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
  // Stored bytes may be hostile: Buffer.from() would read the length of another object.
  if (!(bytes instanceof ArrayBuffer)) throw new TypeError("No bytes");
  return Buffer.from(bytes);
}

const { prototype: nativeDate } = Date;

/** Returns whether devalue, which looks only at the tag, would restore the same value or refuse it. */
function comesBack(value: object): boolean {
  const tag = tagOf(value);
  if (tag === "Object" || tag === "Array") return isPlain(value);
  // "Temporal.Instant" is a name in a namespace.
  const builtIn = tag.split(".").reduce<unknown>((at, name) => Reflect.get(Object(at), name), globalThis);
  const prototype: unknown = Object.getPrototypeOf(value);
  // Fake timers replace Date, and set an own constructor property on each of their dates.
  const known = [Object(builtIn).prototype, Buffer.prototype, nativeDate];
  if (!known.includes(prototype)) return false;
  // Do not list the keys: that would make one string for each byte.
  if (ArrayBuffer.isView(value) && tag !== "DataView")
    return isDeepStrictEqual(value, Reflect.apply(Uint8Array.prototype.subarray, value, []));
  const own = Reflect.ownKeys(value).filter((key) => key !== "constructor").length;
  const least = tag === "String" ? String(value).length + 1 : Number(tag === "RegExp");
  return own === least && !Reflect.get(value, "lastIndex");
}

/** Returns whether a value is a plain array or object that holds only data. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  const keys = Reflect.ownKeys(value);
  const fits = Array.isArray(value)
    ? // The indices of an array come first. Any other property comes after its length.
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
  // Read the holder's property, because JSON.stringify has already turned a Date into text.
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
