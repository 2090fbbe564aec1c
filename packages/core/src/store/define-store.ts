import type { StandardSchemaV1 } from "@standard-schema/spec";
import { checkOptions, hasMethods, isWhole, show } from "../base/options.ts";
import { checkStoreName } from "../record/field-names.ts";

/** A store's name and, for the compiler, its keys and the types of their values. Made by `defineStore`. */
export interface StoreDefinition<T extends object> {
  /** 1 to 255 characters of `A-Z a-z 0-9 - _ .` */
  readonly name: string;
  /** For the compiler alone; never there at run time. */
  readonly "~types"?: (value: T) => T;
}

/** One Standard Schema validator (Zod, Valibot, ArkType, …) for each key. */
export type Schemas = Readonly<Record<string, StandardSchemaV1>>;

/** The values that a store of these validators holds: what the validators return. */
export type Infer<S extends Schemas> = { [K in keyof S]: StandardSchemaV1.InferOutput<S[K]> };

/** How entries that an earlier deployment wrote are read. */
export interface Versioned {
  /** The version that entries are written with: a whole number of 1 or more. Entries of an unversioned store have 0. */
  version: number;
  /**
   * Makes of an older entry's value what the present version holds; `undefined` drops the entry. Pure; runs on read,
   * before validation, and causes no write by itself.
   */
  migrate(value: unknown, from: number, key: string): unknown;
}

/** What a definition holds at run time, beside its name. */
export interface StoreRules {
  readonly name: string;
  readonly schema?: Schemas | undefined;
  readonly version?: number | undefined;
  readonly migrate?: Versioned["migrate"] | undefined;
}

/**
 * Names and types a store: by a type argument, or by one validator for each key, from which the types are inferred.
 * With validators a key that is not named is a `TypeError`, what the validator returns is what is stored, and it is
 * validated again when it is read.
 *
 * @param name 1 to 255 characters of `A-Z a-z 0-9 - _ .`
 * @throws TypeError for a bad name, version or schema; SessionConfigError for an unknown option.
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
    throw new TypeError(`Store "${name}": version and migrate go together`);
  for (const [key, validator] of Object.entries(schema ?? {}))
    if (!hasMethods(validator?.["~standard"], "validate"))
      throw new TypeError(`Store "${name}": the schema of "${key}" is no Standard Schema validator`);
  const rules: StoreRules = { name, schema, version, migrate };
  return Object.freeze(rules);
}
