import { parse, stringify } from "devalue";

/**
 * Turns one entry's value into text and back. `encode` throws for what it cannot carry, and never drops it in
 * silence; `decode` makes a new value at every call. The text is well-formed Unicode without NUL.
 */
export interface Codec {
  /** The text of a value. Throws for what it cannot carry. */
  encode(value: unknown): string;
  /** A new value from a text that `encode` made. Throws for any other. */
  decode(text: string): unknown;
}

/**
 * The default: JSON's values and `Date`, `Map`, `Set`, `RegExp`, `BigInt`, `URL`, typed arrays, `undefined` inside of
 * objects, `NaN`, `-0`, cycles and repeated references, by the `devalue` package.
 */
export const devalueCodec: Codec = {
  encode: (value) => stringify(value),
  decode: (text) => parse(text),
};

/**
 * JSON for those who read the backend with other tools. Refuses what JSON would drop or change in silence; of numbers
 * only `-0` is not itself afterwards.
 */
export const jsonCodec: Codec = {
  encode: (value) => JSON.stringify(value, refuseWhatJsonLoses),
  decode: (text) => JSON.parse(text),
};

function refuseWhatJsonLoses(this: unknown, key: string): unknown {
  // The holder's own value: a Date has already become text in the second argument.
  const value: unknown = Reflect.get(Object(this), key);
  const fits =
    value === null ||
    typeof value === "string" ||
    typeof value === "boolean" ||
    (typeof value === "number" && Number.isFinite(value)) ||
    (typeof value === "undefined" && key !== "" && !Array.isArray(this)) ||
    (typeof value === "object" && isPlain(value));
  if (!fits) throw new TypeError("JSON cannot carry this value");
  return value;
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (Object.getOwnPropertySymbols(value).length > 0) return false;
  return Array.isArray(value) || prototype === null || prototype === Object.prototype;
}
