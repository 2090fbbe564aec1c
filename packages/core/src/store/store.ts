import { checkKey, fieldName, fieldPrefix, parseField } from "../record/field-names.ts";
import { CODEC } from "../record/session-record.ts";
import { becomePending, beforeWrite, type State } from "../session/state.ts";
import { type EntryCodec, refusePromise } from "./value-codec.ts";

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

/** By field, each value that was decoded; one for each handle of the store that reads otherwise. */
export type DecodedValues = Map<string, Decoded[]>;

/** @returns `false` where the change came too late to be kept. */
function stage(state: State, field: string, text: string | undefined): boolean {
  if (beforeWrite(state)) return false;
  state.entries.set(field, text);
  state.decoded.delete(field);
  return true;
}

/** Notices a mutation in place: the value prints otherwise than the text that it came from. */
function flush(state: State, field: string, known: Decoded): void {
  const { key, value, codec } = known;
  if (Object(value) !== value) return;
  const home = state.entries.get(CODEC);
  const printed = codec.print(key, value, home, known.text);
  if (printed === (known.printed ?? known.text)) return;
  // An old version, another codec, or another spelling of the same value is no mutation.
  const isSpelling =
    known.printed === undefined &&
    printed === codec.print(key, codec.decode(key, known.text, home), home, known.text);
  known.printed = printed;
  if (isSpelling) return;
  known.text = codec.encode(key, value, home).text;
  stage(state, field, known.text);
  state.decoded.set(field, [known]);
}

/** Stages every value that was mutated in place. */
export function flushStores(state: State): void {
  if (state.decoded.size === 0) return;
  for (const [field, all] of [...state.decoded]) for (const known of all) flush(state, field, known);
}

export function createStore(name: string, codec: EntryCodec, state: State): Store<Record<string, unknown>> {
  return new SessionStore(name, codec, state);
}

// A class, because one is made for each request: methods as closures would be made as often.
class SessionStore implements Store<Record<string, unknown>> {
  readonly name: string;
  readonly #codec: EntryCodec;
  readonly #state: State;
  readonly #prefix: string;

  constructor(name: string, codec: EntryCodec, state: State) {
    this.name = name;
    this.#codec = codec;
    this.#state = state;
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
    const state = this.#state;
    for (const known of state.decoded.get(field) ?? []) flush(state, field, known);
    return state.entries.get(field);
  }

  #remember(field: string, key: string, text: string, value: unknown, others: readonly Decoded[] = []): void {
    this.#state.decoded.set(field, [...others, { key, text, value, codec: this.#codec }]);
  }

  get(key: string): unknown {
    const field = this.#fieldOf(key);
    const state = this.#state;
    const { decoded, entries } = state;
    state.wasRead = true;
    const isOurs = (known: Decoded): boolean => known.codec === this.#codec;
    const known = decoded.get(field)?.find(isOurs);
    if (known && known.text === entries.get(field)) return known.value;
    const text = this.#textOf(field);
    if (text === undefined) return undefined;
    const value = this.#codec.decode(key, text, entries.get(CODEC));
    // It may be mutated in place.
    if (Object(value) === value) becomePending(state);
    const others = decoded.get(field)?.filter((other) => !isOurs(other));
    this.#remember(field, key, text, value, others);
    return value;
  }

  has(key: string): boolean {
    this.#state.wasRead = true;
    const text = this.#state.entries.get(this.#fieldOf(key));
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
    const state = this.#state;
    const { text, value } = this.#codec.encode(key, given, state.entries.get(CODEC));
    if (stage(state, field, text)) this.#remember(field, key, text, value);
    return this;
  }

  delete(key: string): boolean {
    const had = this.has(key);
    const field = this.#fieldOf(key);
    if (this.#state.entries.get(field) !== undefined) stage(this.#state, field, undefined);
    return had;
  }

  take(key: string): unknown {
    const value = this.get(key);
    this.delete(key);
    return value;
  }

  update(key: string, fn: (value: unknown) => unknown): unknown {
    const field = this.#fieldOf(key);
    const state = this.#state;
    const codec = this.#codec;
    this.#textOf(field);
    state.wasRead = true;
    const home = state.entries.get(CODEC);
    let value: unknown;
    const recompute = (before: string | undefined): string | undefined => {
      value = fn(before === undefined ? undefined : codec.decode(key, before, home));
      refusePromise(value, `Store "${this.name}": what update() is given must be synchronous`);
      if (value === undefined) return undefined;
      const encoded = codec.encode(key, value, home);
      value = encoded.value;
      return encoded.text;
    };
    if (beforeWrite(state)) {
      recompute(state.entries.get(field));
      return value;
    }
    const text = state.entries.update(field, recompute);
    if (text === undefined) state.decoded.delete(field);
    else this.#remember(field, key, text, value);
    return value;
  }

  clear(): void {
    for (const key of this.#stored()) stage(this.#state, fieldName(this.#prefix, key), undefined);
  }

  #stored(): string[] {
    this.#state.wasRead = true;
    const names = this.#state.entries.names();
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
