import type { Entries } from "./entries.ts";
import type { EntryCodec } from "./entry-codec.ts";
import { checkKey, fieldName, fieldPrefix, parseField } from "./fields.ts";

/** The keys of a store. */
export type Key<T> = Extract<keyof T, string>;
/** The values of a key: `undefined` is none. */
export type Value<T, K extends keyof T> = Exclude<T[K], undefined>;
/** A key with its value. */
export type Entry<T> = { [K in Key<T>]-?: [K, Value<T, K>] }[Key<T>];

/**
 * One application's isolated, typed part of a session: a Map whose changes are staged until the session commits.
 *
 * Keys are well-formed strings of 1 to 255 bytes of UTF-8; their order means nothing. Values decode on first use; one
 * that was read and then mutated in place is noticed at commit. Every method throws a `TypeError` for a bad key, and
 * what reads a value a `SessionCodecError` where the stored entry cannot be decoded or does not fit its schema.
 * What writes throws `ERR_SESSION_HEADERS_SENT` where the client can no longer be given the cookie that it lacks.
 */
export interface Store<T extends object> extends Iterable<Entry<T>> {
  readonly name: string;
  readonly size: number;
  get<K extends Key<T>>(key: K): Value<T, K> | undefined;
  /** @throws TypeError for `undefined`, for what the codec cannot carry, and for what the schema refuses. */
  set<K extends Key<T>>(key: K, value: Value<T, K>): this;
  /** Whether there was such an entry. */
  delete(key: Key<T>): boolean;
  has(key: Key<T>): boolean;
  keys(): IterableIterator<Key<T>>;
  values(): IterableIterator<Entry<T>[1]>;
  entries(): IterableIterator<Entry<T>>;
  clear(): void;
  /** Gets and deletes, for flash messages; of two overlapping requests both may take it. */
  take<K extends Key<T>>(key: K): Value<T, K> | undefined;
  /**
   * Read-modify-write that loses nothing: applies at once, returns the new value, and runs again on what is there
   * where another request came between. `fn` is synchronous and pure; `undefined` from it deletes.
   */
  update<K extends Key<T>>(
    key: K,
    fn: (value: Value<T, K> | undefined) => Value<T, K> | undefined,
  ): Value<T, K> | undefined;
}

/** What a store needs of its session. */
export interface StoreHost {
  /** The fields now: a login may replace them. */
  entries(): Entries;
  /** Called before each change is staged; throws where none can be. */
  beforeWrite(): void;
}

/** A store, and what its session does with it. */
export interface SessionStore {
  readonly store: Store<Record<string, unknown>>;
  /** Stages what was mutated in place. */
  flush(): void;
  /** Forgets decoded values: the session is another one now. */
  forget(): void;
}

interface Decoded {
  /** The entry's text that the value stands for. */
  text: string;
  readonly value: unknown;
  /** How the value printed when it was last looked at, where that is not `text`. */
  printed?: string;
}

export function createStore(name: string, codec: EntryCodec, host: StoreHost): SessionStore {
  const prefix = fieldPrefix(name);
  const decoded = new Map<string, Decoded>();

  function fieldOf(key: string): string {
    checkKey(name, key);
    if (!codec.knows(key))
      throw new TypeError(`Store "${name}" has no key ${JSON.stringify(key)} in its schema`);
    return fieldName(prefix, key);
  }

  function stage(key: string, text: string | undefined): void {
    host.beforeWrite();
    host.entries().set(fieldName(prefix, key), text);
  }

  function get(key: string): unknown {
    const text = host.entries().get(fieldOf(key));
    if (text === undefined) return undefined;
    const known = decoded.get(key);
    if (known?.text === text) return known.value;
    const value = codec.decode(key, text);
    decoded.set(key, { text, value });
    return value;
  }

  function has(key: string): boolean {
    const text = host.entries().get(fieldOf(key));
    return text !== undefined && (!codec.isOld(text) || get(key) !== undefined);
  }

  function set(key: string, given: unknown): void {
    fieldOf(key);
    const { text, value } = codec.encode(key, given);
    stage(key, text);
    decoded.set(key, { text, value });
  }

  function remove(key: string): boolean {
    const had = has(key);
    if (host.entries().get(fieldOf(key)) !== undefined) stage(key, undefined);
    decoded.delete(key);
    return had;
  }

  /** Notices a mutation: the value prints otherwise than the text it came from. */
  function flushOne(key: string, known: Decoded): void {
    if (typeof known.value !== "object" || known.value === null) return;
    const printed = codec.print(key, known.value);
    if (printed === (known.printed ?? known.text)) return;
    const first = known.printed === undefined;
    known.printed = printed;
    // An old version, or another spelling of the same value, is no mutation.
    if (first && printed === codec.print(key, codec.decode(key, known.text))) return;
    known.text = codec.encode(key, known.value).text;
    stage(key, known.text);
  }

  const stored = (): string[] =>
    host
      .entries()
      .names()
      .filter((field) => field.startsWith(prefix))
      .flatMap((field) => parseField(field)?.key ?? []);

  const keys = (): string[] => stored().filter((key) => codec.knows(key) && has(key));
  const entries = (): [string, unknown][] => keys().map((key) => [key, get(key)]);

  const store: Store<Record<string, unknown>> = {
    name,
    get size() {
      return keys().length;
    },
    get,
    set(key, value) {
      set(key, value);
      return store;
    },
    delete: remove,
    has,
    keys: () => keys().values(),
    values: () => keys().map(get).values(),
    entries: () => entries().values(),
    [Symbol.iterator]: () => entries().values(),
    clear() {
      for (const key of stored()) stage(key, undefined);
      decoded.clear();
    },
    take(key) {
      const value = get(key);
      remove(key);
      return value;
    },
    update(key, fn) {
      const field = fieldOf(key);
      const known = decoded.get(key);
      if (known && known.text === host.entries().get(field)) flushOne(key, known);
      let result: unknown;
      const recompute = (text: string | undefined): string | undefined => {
        const next: unknown = fn(text === undefined ? undefined : codec.decode(key, text));
        if (next === undefined) return undefined;
        if (next instanceof Promise) {
          next.catch(() => {});
          throw new TypeError(`Store "${name}": what update() is given must be synchronous`);
        }
        const encoded = codec.encode(key, next);
        result = encoded.value;
        return encoded.text;
      };
      host.beforeWrite();
      const text = host.entries().update(field, recompute);
      if (text === undefined) decoded.delete(key);
      else decoded.set(key, { text, value: result });
      return text === undefined ? undefined : result;
    },
  };

  return {
    store,
    flush() {
      for (const [key, known] of decoded) flushOne(key, known);
    },
    forget: () => decoded.clear(),
  };
}
