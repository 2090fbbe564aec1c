import { Buffer } from "node:buffer";

// A store's field is named `<store>/<key>`, both percent-escaped. The core's own fields begin with `/`; a store's
// cannot.

const PLAIN = /^[\w-]*$/;

/** Escapes all but `A-Z a-z 0-9 - _`. `decodeURIComponent` gives the text back. */
export function percentEscape(text: string): string {
  if (PLAIN.test(text)) return text;
  return encodeURIComponent(text).replace(
    /[.!~*'()]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** The prefix of the names of a store's fields. */
export function fieldPrefix(store: string): string {
  return `${percentEscape(store)}/`;
}

/**
 * The name of a field for any text: the contract allows `A-Z a-z 0-9 - _ % /` alone, so the key is percent-escaped.
 *
 * @param prefix What stands before the key: a store's name, escaped, and `/`.
 * @param key Well-formed text. `decodeURIComponent` gives it back.
 * @throws URIError for text that is not well-formed.
 * @example
 * const name = fieldName("cart/", "last.seen"); // "cart/last%2Eseen"
 */
export function fieldName(prefix: string, key: string): string {
  return prefix + percentEscape(key);
}

/** Returns whether a field is the core's own. */
export const isOwn = (field: string): boolean => field.startsWith("/");

/** The store and key of a field; `undefined` for the core's own fields, and for names that `fieldName` cannot make. */
export function parseField(field: string): { store: string; key: string } | undefined {
  try {
    const [store, key] = field.split("/").map(decodeURIComponent);
    if (store && key && fieldName(fieldPrefix(store), key) === field) return { store, key };
  } catch {
    // decodeURIComponent throws for an escape that we never write.
  }
  return undefined;
}

/** @throws TypeError unless it is 1 to 255 of `A-Z a-z 0-9 - _ .` */
export function checkStoreName(name: unknown): asserts name is string {
  if (typeof name !== "string" || !/^[\w.-]{1,255}$/.test(name))
    throw new TypeError("A store's name must be 1 to 255 characters of A-Z a-z 0-9 - _ .");
}

/** @throws TypeError unless it is a non-empty, well-formed string of at most 255 bytes of UTF-8. */
export function checkKey(store: string, key: unknown): asserts key is string {
  if (!isKeyText(key))
    throw new TypeError(`Store "${store}": a key must be a well-formed string of 1 to 255 bytes`);
}

/** @throws TypeError unless it is a well-formed string of 1 to 255 bytes of UTF-8 without NUL. */
export function checkPrincipal(principal: unknown, what = "principal"): asserts principal is string {
  if (!isKeyText(principal) || principal.includes("\0"))
    throw new TypeError(`A ${what} must be a well-formed string of 1 to 255 bytes without NUL`);
}

/** The check of login(). Control characters, such as line breaks, could forge lines in a log or a listing. */
export function checkNewPrincipal(principal: unknown, what = "principal"): asserts principal is string {
  checkPrincipal(principal, what);
  if (/\p{Cc}/u.test(principal)) throw new TypeError(`A ${what} must have no control characters`);
}

function isKeyText(text: unknown): text is string {
  return typeof text === "string" && text !== "" && text.isWellFormed() && Buffer.byteLength(text) <= 255;
}

/** The size of fields: names and texts in UTF-8, plus `perEntry` bytes for each entry of a store. */
export function bytesOf(fields: ReadonlyMap<string, string>, perEntry = 0): number {
  let bytes = 0;
  for (const [name, text] of fields)
    bytes += name.length + Buffer.byteLength(text) + (isOwn(name) ? 0 : perEntry);
  return bytes;
}
