import { SessionCodecError } from "@sessions/core";

/** The texts of the keys that nobody has read or set, by the getter that would parse them. */
const unread = new WeakMap<object, () => string | undefined>();

/**
 * An object whose keys are parsed when they are read: most requests read few of them. The text of a key that was not
 * read is known without a look at its value.
 */
export function parsedWhenRead(texts: ReadonlyMap<string, string>): object {
  const data = {};
  for (const [key, text] of texts) {
    let value: unknown;
    let isKnown = false;
    const get = (): unknown => {
      if (!isKnown) {
        value = parse(key, text);
        isKnown = true;
      }
      return value;
    };
    const set = (given: unknown): void => {
      value = given;
      isKnown = true;
    };
    unread.set(get, () => (isKnown ? undefined : text));
    Object.defineProperty(data, key, { get, set, enumerable: true, configurable: true });
  }
  return data;
}

function parse(key: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own error shows a piece of the text.
    throw new SessionCodecError(`The key ${JSON.stringify(key)} of the session is not valid JSON`);
  }
}

/** The text of a key that was neither read nor set. */
export function unreadText(session: object, key: string): string | undefined {
  const get = Object.getOwnPropertyDescriptor(session, key)?.get;
  return get && unread.get(get)?.();
}

/** Copies a session's keys, without reading them. */
export function copyKey(from: object, to: object, key: string): void {
  const found = Object.getOwnPropertyDescriptor(from, key);
  if (found) Object.defineProperty(to, key, found);
}
