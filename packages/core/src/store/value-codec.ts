import type { StandardSchemaV1 } from "@standard-schema/spec";
import { SessionCodecError } from "../base/errors.ts";
import { hasMethods, show } from "../base/options.ts";
import { type Codec, DEFAULT_CODEC } from "./codec.ts";
import type { StoreRules } from "./define-store.ts";

/**
 * Converts between a store's values and the texts of its fields: codec, version, migration, validation. `home` is the
 * codec that the record names. Texts of that codec need no mark.
 */
export interface ValueCodec {
  /** @throws TypeError Names store and key, if the value cannot be stored. */
  encode(key: string, value: unknown, home: string | undefined): { text: string; value: unknown };
  /** Returns `undefined` if the migration drops the entry. @throws SessionCodecError Names store and key. */
  decode(key: string, text: string, home: string | undefined): unknown;
  /**
   * The text of a value, without validation. If the first codec cannot carry it, the codec that wrote `text` is used.
   */
  print(key: string, value: unknown, home: string | undefined, text?: string): string;
  /** Whether an older version wrote the text, so that migration may drop the entry. */
  isOld(text: string): boolean;
  /** Whether the store has such a key. Without a schema, it has every key. */
  knows(key: string): boolean;
}

// `@<version> <text>`, or `@<version>:<codec> <text>` if the record names another codec. A plain text that begins with
// `@` gets the mark of version 0.
const MARKED = /^@(\d{1,16})(?::([\w.-]{1,64}))? (.*)$/s;

function unwrap(text: string): { version: number; name: string | undefined; body: string } {
  const [, version = 0, name, body = text] = MARKED.exec(text) ?? [];
  return { version: Number(version), name, body };
}

/** Marks a text of a record with the codec `home`, so that a record with another codec can hold it. */
export function moveText(text: string, home: string = DEFAULT_CODEC): string {
  const { version, name = home, body } = unwrap(text);
  return `@${version}:${name} ${body}`;
}

function textOf(value: unknown, codec: Codec | undefined): string | undefined {
  try {
    const text: unknown = codec?.encode(value);
    if (typeof text === "string" && text.isWellFormed() && !text.includes("\0")) return text;
  } catch {
    // Drop the codec's own error, because it may show the value.
  }
  return undefined;
}

/** The paths where a value does not fit. Leaves out the validator's messages, because they may quote the value. */
function where(issues: readonly StandardSchemaV1.Issue[]): string {
  const paths = issues.map(({ path = [] }) =>
    path.map((part) => String(typeof part === "object" ? part.key : part)).join("."),
  );
  const named = [...new Set(paths)].filter((path) => path !== "").slice(0, 5);
  return named.length > 0 ? `, at ${named.join(", ")}` : "";
}

/** @throws TypeError The value is a promise. Its rejection is caught, because nothing else would handle it. */
export function refusePromise<T>(value: T, message: string): asserts value is Exclude<T, Promise<unknown>> {
  if (!hasMethods(value, "then")) return;
  Promise.resolve(value).catch(() => {});
  throw new TypeError(message);
}

export function createValueCodec(
  { name, schema, version = 0, migrate }: StoreRules,
  codecs: ReadonlyMap<string, Codec>,
): ValueCodec {
  const [writer = DEFAULT_CODEC] = codecs.keys();
  const entry = (key: string): string => `Store "${name}", key ${JSON.stringify(key)}`;
  const fail = (key: string, message: string, options?: ErrorOptions): SessionCodecError =>
    new SessionCodecError(`${entry(key)}: ${message}`, options);

  function validate(key: string, value: unknown): StandardSchemaV1.Result<unknown> {
    const validator = schema && Object.hasOwn(schema, key) ? schema[key] : undefined;
    if (!validator) return { value };
    let result: StandardSchemaV1.Result<unknown> | Promise<StandardSchemaV1.Result<unknown>>;
    try {
      result = validator["~standard"].validate(value);
    } catch {
      // Drop the error, because it may quote the value.
      return { issues: [] };
    }
    refusePromise(result, `${entry(key)}: validators must be synchronous`);
    return result;
  }

  function print(key: string, value: unknown, home: string = DEFAULT_CODEC, was?: string): string {
    let name = writer;
    let text = textOf(value, codecs.get(name));
    if (text === undefined && was !== undefined) {
      name = unwrap(was).name ?? home;
      text = textOf(value, codecs.get(name));
    }
    if (text === undefined)
      throw new TypeError(
        `${entry(key)}: the codec cannot carry this value: store plain data, not class instances or functions`,
      );
    const mark = name === home ? "" : `:${name}`;
    return version > 0 || mark || text.startsWith("@") ? `@${version}${mark} ${text}` : text;
  }

  return {
    print,

    encode(key, given, home) {
      const result = validate(key, given);
      if (result.issues)
        throw new TypeError(`${entry(key)}: the value does not fit the schema${where(result.issues)}`);
      if (result.value === undefined)
        throw new TypeError(`${entry(key)}: the value is undefined: use delete()`);
      return { text: print(key, result.value, home), value: result.value };
    },

    decode(key, text, home = DEFAULT_CODEC) {
      const { version: from, name: wrote = home, body } = unwrap(text);
      const codec = codecs.get(wrote);
      if (!codec)
        throw fail(key, `the codec ${show(wrote)} wrote it: add that to the option codec, at the end`);
      let value: unknown;
      try {
        value = codec.decode(body);
      } catch {
        // Set no cause: a parser's message quotes the text.
        throw fail(key, `the codec ${show(wrote)} cannot decode the stored text`);
      }
      // If we read and wrote this entry, the newer program would migrate it a second time.
      if (migrate && from > version)
        throw fail(key, `version ${from} wrote it, newer than ${version}: deploy the new program everywhere`);
      if (migrate && from < version) {
        try {
          value = migrate(value, from, key);
          refusePromise(value, "migrate must be synchronous");
        } catch (cause) {
          throw fail(key, `migrate failed from version ${from}`, { cause });
        }
        if (value === undefined) return undefined;
      }
      const result = validate(key, value);
      if (!result.issues) return result.value;
      throw fail(
        key,
        `the stored value does not fit the schema${where(result.issues)}. Give the store a version and migrate`,
      );
    },

    isOld: (text) => migrate !== undefined && unwrap(text).version < version,
    knows: (key) => schema === undefined || Object.hasOwn(schema, key),
  };
}
