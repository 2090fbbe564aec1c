import { refuseUnknownProperties } from "../base/unknown-properties.ts";
import { checkKey, fieldName, fieldPrefix, parseField } from "../record/field-names.ts";
import { CODEC } from "../record/session-record.ts";
import type { Decoded, Encoded, StoreHost } from "./host.ts";
import { refusePromise, type ValueCodec } from "./value-codec.ts";

/** The keys of a store. */
export type Key<T> = Extract<keyof T, string>;
/** The value of a key; `undefined` is not a value. */
export type Value<T, K extends keyof T> = Exclude<T[K], undefined>;
/** A key with its value. */
export type Entry<T> = { [K in Key<T>]-?: [K, Value<T, K>] }[Key<T>];

/**
 * One application's isolated, typed part of a session: a Map whose changes are staged until `session.commit()`. Get
 * one with `session.store()`.
 *
 * Keys are well-formed strings of 1 to 255 bytes of UTF-8, in no order. A value is decoded on first use. If the program
 * mutates a value that it has read, the commit notices it.
 *
 * - A bad key throws a `TypeError`.
 * - Reading throws `SessionCodecError` if the stored entry cannot be decoded or does not fit its schema.
 * - Writing throws `ERR_SESSION_HEADERS_SENT` if the client has no cookie and can no longer get one.
 *
 * @example
 * const session = createSessionManager().create();
 * const cart = session.store<{ items: string[] }>("cart");
 * cart.set("items", ["tea"]);
 * for (const [key, value] of cart) console.log(key, value.length);
 */
export interface Store<T extends object> extends Iterable<Entry<T>> {
  /** The store's name. */
  readonly name: string;
  /** The number of entries, staged ones included. */
  readonly size: number;
  /**
   * Returns the value of a key, or `undefined`. Returns the same object each time, until the entry is set again.
   * @throws SessionCodecError The stored entry cannot be decoded, or does not fit its schema.
   * @example
   * const session = createSessionManager().create();
   * const lang = session.store<{ lang: "en" | "de" }>("shop").get("lang") ?? "en";
   */
  get<K extends Key<T>>(key: K): Value<T, K> | undefined;
  /**
   * Stages a value for the next commit. Of two requests that set the same key, the later commit wins; use
   * {@link Store.update} to compute a value from the present one.
   * @throws TypeError The value is `undefined`, the codec cannot carry it, or the schema refuses it.
   * @example
   * const session = createSessionManager().create();
   * session.store<{ lang: string }>("shop").set("lang", "de").set("lang", "en");
   */
  set<K extends Key<T>>(key: K, value: Value<T, K>): this;
  /**
   * Stages several values, as {@link Store.set} does. A key that is left out, or `undefined`, keeps its entry. If one
   * value is refused, none is staged.
   * @throws TypeError The codec cannot carry a value, or the schema refuses it.
   * @example
   * const session = createSessionManager().create();
   * session.store<{ lang: string; size: number }>("shop").assign({ lang: "de", size: 12 });
   */
  assign(values: { readonly [K in Key<T>]?: Value<T, K> | undefined }): this;
  /** Deletes an entry, and returns whether there was one. */
  delete(key: Key<T>): boolean;
  /** Returns whether there is such an entry. Decodes only an entry of an older version. */
  has(key: Key<T>): boolean;
  /** The present keys, in no order. */
  keys(): IterableIterator<Key<T>>;
  /** The present values, in no order. */
  values(): IterableIterator<Entry<T>[1]>;
  /** The present keys and values, in no order. */
  entries(): IterableIterator<Entry<T>>;
  /** Deletes every entry of the store. Entries that another request adds meanwhile stay. */
  clear(): void;
  /**
   * Returns a value and deletes its entry. Two requests that overlap may both get the value.
   * @example
   * const session = createSessionManager().create();
   * const returnTo = session.store<{ returnTo: string }>("signin").take("returnTo") ?? "/";
   */
  take<K extends Key<T>>(key: K): Value<T, K> | undefined;
  /**
   * Computes a new value from the present one, and loses no update of another request. Applies `fn` at once and returns
   * the new value. If another request commits in between, the commit runs `fn` again on the newer value.
   *
   * @param fn Must be synchronous and pure. If it returns `undefined`, the entry is deleted.
   * @example
   * const session = createSessionManager().create();
   * const visits = session.store<{ count: number }>("visits");
   * const count = visits.update("count", (before = 0) => before + 1);
   */
  update<K extends Key<T>>(
    key: K,
    fn: (value: Value<T, K> | undefined) => Value<T, K> | undefined,
  ): Value<T, K> | undefined;
}

/** @returns `false` if the change came too late to be kept. */
function stage(host: StoreHost, field: string, text: string | undefined): boolean {
  if (host.beforeWrite()) return false;
  host.fields.set(field, text);
  host.decoded.delete(field);
  return true;
}

/** Stages a value that was mutated in place: its text differs from the text that it was decoded from. */
function flush(host: StoreHost, field: string, known: Decoded): void {
  const { key, value, codec } = known;
  if (Object(value) !== value) return;
  const home = host.fields.get(CODEC);
  const printed = codec.print(key, value, home, known.text);
  if (printed === (known.printed ?? known.text)) return;
  // An old version, another codec, or another spelling of the same value is not a mutation.
  const isSpelling =
    known.printed === undefined &&
    printed === codec.print(key, codec.decode(key, known.text, home), home, known.text);
  known.printed = printed;
  if (isSpelling) return;
  known.text = codec.encode(key, value, home).text;
  stage(host, field, known.text);
  host.decoded.set(field, [known]);
}

/** Stages every value that was mutated in place. */
export function flushStores(host: StoreHost): void {
  if (host.decoded.size === 0) return;
  for (const [field, all] of [...host.decoded]) for (const known of all) flush(host, field, known);
}

// A class, because one is made for each request: closures would be made again for each one.
export class SessionStore implements Store<Record<string, unknown>> {
  // No public field: lowered to ES2019 by a bundler, it is a property that is set, which a store refuses.
  readonly #name: string;
  readonly #codec: ValueCodec;
  readonly #host: StoreHost;
  readonly #prefix: string;

  constructor(name: string, codec: ValueCodec, host: StoreHost) {
    this.#name = name;
    this.#codec = codec;
    this.#host = host;
    this.#prefix = fieldPrefix(name);
  }

  get name(): string {
    return this.#name;
  }

  #fieldOf(key: string): string {
    checkKey(this.name, key);
    if (!this.#codec.knows(key))
      throw new TypeError(`Store "${this.name}" has no key ${JSON.stringify(key)} in its schema`);
    return fieldName(this.#prefix, key);
  }

  /** The field's present text, mutations in place included. */
  #textOf(field: string): string | undefined {
    const host = this.#host;
    for (const known of host.decoded.get(field) ?? []) flush(host, field, known);
    return host.fields.get(field);
  }

  #remember(field: string, key: string, text: string, value: unknown): void {
    const { decoded } = this.#host;
    const codec = this.#codec;
    const others = (decoded.get(field) ?? []).filter((known) => known.codec !== codec);
    decoded.set(field, [...others, { key, text, value, codec }]);
  }

  get(key: string): unknown {
    const field = this.#fieldOf(key);
    const host = this.#host;
    const { decoded, fields } = host;
    host.response.noteRead();
    const known = decoded.get(field)?.find(({ codec }) => codec === this.#codec);
    if (known && known.text === fields.get(field)) return known.value;
    const text = this.#textOf(field);
    if (text === undefined) return undefined;
    const value = this.#codec.decode(key, text, fields.get(CODEC));
    // The program may mutate an object in place.
    if (Object(value) === value) host.response.becomePending();
    this.#remember(field, key, text, value);
    return value;
  }

  has(key: string): boolean {
    this.#host.response.noteRead();
    const text = this.#host.fields.get(this.#fieldOf(key));
    if (text === undefined || !this.#codec.isOld(text)) return text !== undefined;
    try {
      return this.get(key) !== undefined;
    } catch {
      // The entry exists and can be deleted. get() reports what is wrong with it.
      return true;
    }
  }

  set(key: string, given: unknown): this {
    this.#stage(this.#encode(key, given));
    return this;
  }

  assign(values: Readonly<Record<string, unknown>>): this {
    const given = Object.entries(values).filter(([, value]) => value !== undefined);
    for (const encoded of given.map(([key, value]) => this.#encode(key, value))) this.#stage(encoded);
    return this;
  }

  #encode(key: string, given: unknown): Encoded {
    const field = this.#fieldOf(key);
    const { text, value } = this.#codec.encode(key, given, this.#host.fields.get(CODEC));
    return { key, field, text, value };
  }

  #stage({ key, field, text, value }: Encoded): void {
    if (stage(this.#host, field, text)) this.#remember(field, key, text, value);
  }

  delete(key: string): boolean {
    const had = this.has(key);
    const field = this.#fieldOf(key);
    if (this.#host.fields.get(field) !== undefined) stage(this.#host, field, undefined);
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
    const home = host.fields.get(CODEC);
    let value: unknown;
    const recompute = (before: string | undefined): string | undefined => {
      value = fn(before === undefined ? undefined : codec.decode(key, before, home));
      refusePromise(value, `Store "${this.name}": update() must be synchronous`);
      if (value === undefined) return undefined;
      const encoded = codec.encode(key, value, home);
      value = encoded.value;
      return encoded.text;
    };
    if (host.beforeWrite()) {
      recompute(host.fields.get(field));
      return value;
    }
    const text = host.fields.update(field, recompute);
    host.decoded.delete(field);
    if (text !== undefined) this.#remember(field, key, text, value);
    return value;
  }

  clear(): void {
    for (const key of this.#stored()) stage(this.#host, fieldName(this.#prefix, key), undefined);
  }

  #stored(): string[] {
    this.#host.response.noteRead();
    const names = this.#host.fields.names();
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
  throw new TypeError(`A store takes no properties: use set(${JSON.stringify(property)}, …)`);
});
