import { refuseUnknownProperties } from "../base/unknown-properties.ts";
import { checkKey, fieldName, fieldPrefix, parseField } from "../record/field-names.ts";
import { CODEC } from "../record/session-record.ts";
import type { Decoded, StoreHost } from "./host.ts";
import { refusePromise, type ValueCodec } from "./value-codec.ts";

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

/** @returns `false` where the change came too late to be kept. */
function stage(host: StoreHost, field: string, text: string | undefined): boolean {
  if (host.beforeWrite()) return false;
  host.staged.fields.set(field, text);
  host.staged.decoded.delete(field);
  return true;
}

/** Notices a mutation in place: the value prints otherwise than the text that it came from. */
function flush(host: StoreHost, field: string, known: Decoded): void {
  const { key, value, codec } = known;
  if (Object(value) !== value) return;
  const home = host.staged.fields.get(CODEC);
  const printed = codec.print(key, value, home, known.text);
  if (printed === (known.printed ?? known.text)) return;
  // An old version, another codec, or another spelling of the same value is no mutation.
  const isSpelling =
    known.printed === undefined &&
    printed === codec.print(key, codec.decode(key, known.text, home), home, known.text);
  known.printed = printed;
  if (isSpelling) return;
  known.text = codec.encode(key, value, home).text;
  stage(host, field, known.text);
  host.staged.decoded.set(field, [known]);
}

/** Stages every value that was mutated in place. */
export function flushStores(host: StoreHost): void {
  if (host.staged.decoded.size === 0) return;
  for (const [field, all] of [...host.staged.decoded]) for (const known of all) flush(host, field, known);
}

export function createStore(
  name: string,
  codec: ValueCodec,
  host: StoreHost,
): Store<Record<string, unknown>> {
  return new SessionStore(name, codec, host);
}

// A class, because one is made for each request: methods as closures would be made as often.
class SessionStore implements Store<Record<string, unknown>> {
  readonly name: string;
  readonly #codec: ValueCodec;
  readonly #host: StoreHost;
  readonly #prefix: string;

  constructor(name: string, codec: ValueCodec, host: StoreHost) {
    this.name = name;
    this.#codec = codec;
    this.#host = host;
    this.#prefix = fieldPrefix(name);
  }

  #fieldOf(key: string): string {
    checkKey(this.name, key);
    if (!this.#codec.knows(key))
      throw new TypeError(`Store "${this.name}" has no key ${JSON.stringify(key)} in its schema`);
    return fieldName(this.#prefix, key);
  }

  /** The field's text now, with what was mutated in place. */
  #textOf(field: string): string | undefined {
    const host = this.#host;
    for (const known of host.staged.decoded.get(field) ?? []) flush(host, field, known);
    return host.staged.fields.get(field);
  }

  #remember(field: string, key: string, text: string, value: unknown, others: readonly Decoded[] = []): void {
    this.#host.staged.decoded.set(field, [...others, { key, text, value, codec: this.#codec }]);
  }

  get(key: string): unknown {
    const field = this.#fieldOf(key);
    const host = this.#host;
    const { decoded, fields } = host.staged;
    host.response.noteRead();
    const isOurs = (known: Decoded): boolean => known.codec === this.#codec;
    const known = decoded.get(field)?.find(isOurs);
    if (known && known.text === fields.get(field)) return known.value;
    const text = this.#textOf(field);
    if (text === undefined) return undefined;
    const value = this.#codec.decode(key, text, fields.get(CODEC));
    // It may be mutated in place.
    if (Object(value) === value) host.response.becomePending();
    const others = decoded.get(field)?.filter((other) => !isOurs(other));
    this.#remember(field, key, text, value, others);
    return value;
  }

  has(key: string): boolean {
    this.#host.response.noteRead();
    const text = this.#host.staged.fields.get(this.#fieldOf(key));
    if (text === undefined || !this.#codec.isOld(text)) return text !== undefined;
    try {
      return this.get(key) !== undefined;
    } catch {
      // It is there, and can be deleted; what is wrong with it is for `get` to say.
      return true;
    }
  }

  set(key: string, given: unknown): this {
    const field = this.#fieldOf(key);
    const host = this.#host;
    const { text, value } = this.#codec.encode(key, given, host.staged.fields.get(CODEC));
    if (stage(host, field, text)) this.#remember(field, key, text, value);
    return this;
  }

  delete(key: string): boolean {
    const had = this.has(key);
    const field = this.#fieldOf(key);
    if (this.#host.staged.fields.get(field) !== undefined) stage(this.#host, field, undefined);
    return had;
  }

  take(key: string): unknown {
    const value = this.get(key);
    this.delete(key);
    return value;
  }

  update(key: string, fn: (value: unknown) => unknown): unknown {
    const field = this.#fieldOf(key);
    const host = this.#host;
    const codec = this.#codec;
    this.#textOf(field);
    host.response.noteRead();
    const home = host.staged.fields.get(CODEC);
    let value: unknown;
    const recompute = (before: string | undefined): string | undefined => {
      value = fn(before === undefined ? undefined : codec.decode(key, before, home));
      refusePromise(value, `Store "${this.name}": what update() is given must be synchronous`);
      if (value === undefined) return undefined;
      const encoded = codec.encode(key, value, home);
      value = encoded.value;
      return encoded.text;
    };
    if (host.beforeWrite()) {
      recompute(host.staged.fields.get(field));
      return value;
    }
    const text = host.staged.fields.update(field, recompute);
    if (text === undefined) host.staged.decoded.delete(field);
    else this.#remember(field, key, text, value);
    return value;
  }

  clear(): void {
    for (const key of this.#stored()) stage(this.#host, fieldName(this.#prefix, key), undefined);
  }

  #stored(): string[] {
    this.#host.response.noteRead();
    const names = this.#host.staged.fields.names();
    return names.flatMap((field) => (field.startsWith(this.#prefix) ? (parseField(field)?.key ?? []) : []));
  }

  #keys(): string[] {
    return this.#stored().filter((key) => this.#codec.knows(key) && this.has(key));
  }

  get size(): number {
    return this.#keys().length;
  }

  keys(): IterableIterator<string> {
    return this.#keys().values();
  }

  values(): IterableIterator<unknown> {
    return this.#keys()
      .map((key) => this.get(key))
      .values();
  }

  entries(): IterableIterator<[string, unknown]> {
    return this.#keys()
      .map((key): [string, unknown] => [key, this.get(key)])
      .values();
  }

  [Symbol.iterator](): IterableIterator<[string, unknown]> {
    return this.entries();
  }
}

refuseUnknownProperties(SessionStore.prototype, (property) => {
  throw new TypeError(`A store keeps nothing as a property: use set(${JSON.stringify(property)}, …)`);
});
