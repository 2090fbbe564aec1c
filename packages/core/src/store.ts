import type { Entries } from "./entries.ts";
import { type EntryCodec, refusePromise } from "./entry-codec.ts";
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
  /** The application's name, which the store was asked for by. */
  readonly name: string;
  /** How many entries there are now, staged ones among them. */
  readonly size: number;
  /** The value, decoded on first use; the same object each time, until it is set anew. */
  get<K extends Key<T>>(key: K): Value<T, K> | undefined;
  /** Stages a value. @throws TypeError for `undefined`, for what the codec cannot carry, and for what the schema refuses. */
  set<K extends Key<T>>(key: K, value: Value<T, K>): this;
  /** Whether there was such an entry. */
  delete(key: Key<T>): boolean;
  /** Whether there is such an entry; decodes only what an older version wrote. */
  has(key: Key<T>): boolean;
  /** The keys as they are now, in no order. */
  keys(): IterableIterator<Key<T>>;
  /** The values as they are now, in no order. */
  values(): IterableIterator<Entry<T>[1]>;
  /** Keys and values as they are now, in no order. */
  entries(): IterableIterator<Entry<T>>;
  /** Deletes every entry that was read or staged; what another request adds meanwhile stays. */
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

/** A value as a program holds it, and the text that it stands for. */
interface Decoded {
  readonly key: string;
  readonly value: unknown;
  /** Of the store that decoded it: a definition and a bare name may read the same entry differently. */
  readonly codec: EntryCodec;
  text: string;
  /** How the value printed when it was last looked at, where that is not `text`. */
  printed?: string;
}

/** What a session's stores share. */
export interface StoreHost {
  /** By field; one for each handle of the store that reads otherwise. */
  readonly decoded: Map<string, Decoded[]>;
  /** The fields now: a login may replace them. */
  entries(): Entries;
  /** Called before each change is staged; throws where none can be. */
  beforeWrite(): void;
}

function stage({ beforeWrite, entries, decoded }: StoreHost, field: string, text: string | undefined): void {
  beforeWrite();
  entries().set(field, text);
  decoded.delete(field);
}

/** Notices a mutation in place: the value prints otherwise than the text that it came from. */
function flush(host: StoreHost, field: string, known: Decoded): void {
  const { key, value, codec } = known;
  if (Object(value) !== value) return;
  const printed = codec.print(key, value);
  if (printed === (known.printed ?? known.text)) return;
  // An old version, or another spelling of the same value, is no mutation.
  const isSpelling =
    known.printed === undefined && printed === codec.print(key, codec.decode(key, known.text));
  known.printed = printed;
  if (isSpelling) return;
  known.text = codec.encode(key, value).text;
  stage(host, field, known.text);
  host.decoded.set(field, [known]);
}

/** Stages every value that was mutated in place. */
export function flushStores(host: StoreHost): void {
  for (const [field, all] of [...host.decoded]) for (const known of all) flush(host, field, known);
}

export function createStore(
  name: string,
  codec: EntryCodec,
  host: StoreHost,
): Store<Record<string, unknown>> {
  const prefix = fieldPrefix(name);
  const { decoded, entries } = host;

  function fieldOf(key: string): string {
    checkKey(name, key);
    if (!codec.knows(key))
      throw new TypeError(`Store "${name}" has no key ${JSON.stringify(key)} in its schema`);
    return fieldName(prefix, key);
  }

  /** The field's text now, with what was mutated in place. */
  function textOf(field: string): string | undefined {
    for (const known of decoded.get(field) ?? []) flush(host, field, known);
    return entries().get(field);
  }

  function get(key: string): unknown {
    const field = fieldOf(key);
    const isOurs = (known: Decoded): boolean => known.codec === codec;
    const known = decoded.get(field)?.find(isOurs);
    if (known && known.text === entries().get(field)) return known.value;
    const text = textOf(field);
    if (text === undefined) return undefined;
    const value = codec.decode(key, text);
    const others = (decoded.get(field) ?? []).filter((other) => !isOurs(other));
    decoded.set(field, [...others, { key, text, value, codec }]);
    return value;
  }

  function has(key: string): boolean {
    const text = entries().get(fieldOf(key));
    if (text === undefined || !codec.isOld(text)) return text !== undefined;
    try {
      return get(key) !== undefined;
    } catch {
      // It is there, and can be deleted; what is wrong with it is for `get` to say.
      return true;
    }
  }

  function remove(key: string): boolean {
    const had = has(key);
    const field = fieldOf(key);
    if (entries().get(field) !== undefined) stage(host, field, undefined);
    return had;
  }

  const stored = (): string[] =>
    entries()
      .names()
      .flatMap((field) => (field.startsWith(prefix) ? (parseField(field)?.key ?? []) : []));
  const keys = (): string[] => stored().filter((key) => codec.knows(key) && has(key));
  const pairs = (): [string, unknown][] => keys().map((key) => [key, get(key)]);

  const store: Store<Record<string, unknown>> = {
    name,
    get size() {
      return keys().length;
    },
    get,
    set(key, given) {
      const field = fieldOf(key);
      const { text, value } = codec.encode(key, given);
      stage(host, field, text);
      decoded.set(field, [{ key, text, value, codec }]);
      return store;
    },
    delete: remove,
    has,
    keys: () => keys().values(),
    values: () => keys().map(get).values(),
    entries: () => pairs().values(),
    [Symbol.iterator]: () => pairs().values(),
    clear() {
      for (const key of stored()) stage(host, fieldName(prefix, key), undefined);
    },
    take(key) {
      const value = get(key);
      remove(key);
      return value;
    },
    update(key, fn) {
      const field = fieldOf(key);
      textOf(field);
      host.beforeWrite();
      let value: unknown;
      const text = entries().update(field, (before) => {
        value = fn(before === undefined ? undefined : codec.decode(key, before));
        refusePromise(value, `Store "${name}": what update() is given must be synchronous`);
        if (value === undefined) return undefined;
        const encoded = codec.encode(key, value);
        value = encoded.value;
        return encoded.text;
      });
      if (text === undefined) decoded.delete(field);
      else decoded.set(field, [{ key, text, value, codec }]);
      return value;
    },
  };
  return store;
}
