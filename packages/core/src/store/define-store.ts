import type { StandardSchemaV1 } from "@standard-schema/spec";
import { checkOption, checkOptions, hasMethods, hasOwnKeys, isWhole, show } from "../base/options.ts";
import { checkStoreName } from "../record/field-names.ts";

/** A store's name and, for the compiler, the types of its keys and values. Made by {@link defineStore}. */
export interface StoreDefinition<T extends object> {
  /** 1 to 255 characters of `A-Z a-z 0-9 - _ .` */
  readonly name: string;
  /** Only for the compiler. Does not exist at run time. */
  readonly "~types"?: (value: T) => T;
}

/**
 * The types of a definition's keys and values.
 * @example
 * import { defineStore, type StoreData } from "@sessions/core";
 *
 * const cart = defineStore<{ items: string[] }>("cart");
 * const empty: StoreData<typeof cart> = { items: [] };
 */
export type StoreData<D> = D extends StoreDefinition<infer T> ? T : never;

/** One Standard Schema validator (Zod, Valibot, ArkType, …) for each key. */
export type Schemas = Readonly<Record<string, StandardSchemaV1>>;

/** The values of a store with these validators: what the validators return. */
export type Infer<S extends Schemas> = { [K in keyof S]: StandardSchemaV1.InferOutput<S[K]> };

/** How a store reads entries that an earlier deployment wrote. */
export interface Versioned {
  /** The version of new entries: a whole number of 1 or more. Entries of a store without a version have version 0. */
  version: number;
  /**
   * Converts the value of an older entry into a value of this version; `undefined` drops the entry. It must be pure and
   * synchronous. It runs when the entry is read, before validation, and does not cause a write.
   */
  migrate(value: unknown, from: number, key: string): unknown;
}

/** What a definition holds at run time. */
export interface StoreRules {
  readonly name: string;
  readonly schema?: Schemas | undefined;
  readonly version?: number | undefined;
  readonly migrate?: Versioned["migrate"] | undefined;
}

/**
 * Defines a store: its name, and the types of its values. The types come from a type argument, or from one validator
 * for each key. With validators, a key that the schema does not name throws a `TypeError`. The store keeps the value
 * that the validator returns, and validates it again when it is read.
 *
 * @param name 1 to 255 characters of `A-Z a-z 0-9 - _ .`
 * @throws TypeError The name, version or schema is bad.
 * @throws SessionConfigError An option is unknown.
 * @example
 * import { createSessionManager, defineStore } from "@sessions/core";
 *
 * const cart = defineStore<{ items: string[]; coupon: string }>("cart");
 *
 * const session = createSessionManager().create();
 * const items = session.store(cart).get("items"); // string[] | undefined
 */
export function defineStore<S extends Schemas>(
  name: string,
  options: { schema: S } & (Versioned | { version?: never }),
): StoreDefinition<Infer<S>>;
export function defineStore<T extends object = Record<string, unknown>>(
  name: string,
  options?: Versioned,
): StoreDefinition<T>;
export function defineStore(
  name: string,
  options: { schema?: Schemas } & Partial<Versioned> = {},
): StoreDefinition<Record<string, unknown>> {
  checkStoreName(name);
  checkOptions("defineStore", options, ["schema", "version", "migrate"]);
  const { schema, version, migrate } = options;
  if (version !== undefined && !isWhole(version, 1))
    throw new TypeError(`Store "${name}": version must be a whole number of 1 or more, not ${show(version)}`);
  if ((version === undefined) !== (migrate === undefined))
    throw new TypeError(`Store "${name}": version and migrate need each other`);
  // Without this check a schema that is missing by mistake would switch the validation off.
  checkOption(!("schema" in options) || hasOwnKeys(schema), "schema", "an object of validators", schema);
  for (const [key, validator] of Object.entries(schema ?? {}))
    if (!hasMethods(validator?.["~standard"], "validate"))
      throw new TypeError(`Store "${name}": "${key}" has no Standard Schema validator`);
  const rules: StoreRules = { name, schema, version, migrate };
  return Object.freeze(rules);
}
