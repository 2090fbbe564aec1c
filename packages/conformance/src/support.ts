import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import type { Change, Driver, NewRecord, StoredRecord } from "@sessions/core";
import type { Kit } from "./kit.ts";

export const MINUTE = 60_000;
export const HOUR: number = 60 * MINUTE;

export function newId(): string {
  return randomBytes(16).toString("hex");
}

export function fieldsOf(...entries: readonly (readonly [string, string])[]): Map<string, string> {
  return new Map(entries);
}

/** A change that sets one field. */
export function set(name: string, text: string): Change {
  return { fields: new Map([[name, text]]) };
}

/** A change that moves the expiry and nothing else. */
export function touch(expiresAt: number): Change {
  return { fields: new Map(), expiresAt };
}

/** Creates a record, live for an hour unless it says otherwise, and answers its id. */
export async function begin(driver: Driver, now: number, record: Partial<NewRecord> = {}): Promise<string> {
  const id = newId();
  const created = await driver.create(id, { expiresAt: now + HOUR, fields: new Map(), ...record }, now);
  assert.equal(created, true, "create of a new id must answer true");
  return id;
}

/**
 * Creates a record that was live two minutes ago and expired one minute ago. It is written with the earlier clock:
 * nobody has to wait, and no driver is asked for a record that is born dead.
 */
export async function leave(driver: Driver, now: number, record: Partial<NewRecord> = {}): Promise<string> {
  return begin(driver, now - 2 * MINUTE, { expiresAt: now - MINUTE, ...record });
}

/** The record as `load` answers it, which must be there. */
export async function loaded(driver: Driver, id: string): Promise<StoredRecord> {
  const record = await driver.load(id);
  assert.ok(record !== undefined, "load must answer the record, not undefined");
  // What else a driver answers is its own affair.
  const { version, expiresAt, principal, fields } = record;
  return { version, expiresAt, principal, fields };
}

/** Text for a message: escaped, and cut. */
function show(text: string | null | undefined): string {
  if (typeof text !== "string") return String(text);
  const escaped = JSON.stringify(text.slice(0, 40)).replace(
    /[^ -~]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return text.length > 40 ? `${escaped}... (${text.length} units)` : escaped;
}

/** Whether it can be read as a Map, whoever's class it is of. */
export function isMap(value: unknown): value is ReadonlyMap<string, string> {
  const { get, size, entries }: Record<string, unknown> = Object(value);
  return typeof get === "function" && typeof entries === "function" && typeof size === "number";
}

/** Compares without printing megabytes where it fails. */
export function sameFields(actual: ReadonlyMap<string, string>, expected: ReadonlyMap<string, string>): void {
  assert.ok(isMap(actual), "a record's fields must be a Map");
  // Messages are made where they are needed: there may be ten thousand fields.
  for (const [name, text] of expected) {
    const got = actual.get(name);
    if (got !== text) assert.fail(`field ${show(name)} must hold ${show(text)}, not ${show(got)}`);
  }
  for (const name of actual.keys())
    if (!expected.has(name)) assert.fail(`field ${show(name)} must not be there`);
}

/** Compares a record with what it must be; what is not named is not compared. */
export function sameRecord(actual: StoredRecord, expected: Partial<StoredRecord>): void {
  const { fields, ...rest } = expected;
  if (fields) sameFields(actual.fields, fields);
  const { version, expiresAt, principal } = actual;
  assert.deepEqual({ version, expiresAt, principal }, { version, expiresAt, principal, ...rest });
}

/** Starts all of them at once, and waits for all. */
export function together<T>(count: number, start: (i: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, (_, i) => start(i)));
}

/** The case's driver and three more on the same records. */
export async function severalDrivers(kit: Kit): Promise<(i: number) => Driver> {
  const others = [await kit.open(), await kit.open(), await kit.open()];
  return (i) => others[i % 4] ?? kit.driver;
}

/** Sizes of a change around those from which drivers go another way: statements, batches, expressions have limits. */
export const sizes: readonly number[] = [25, 99, 100, 101, 250, 450, 451, 1_000, 1_001, 2_000, 2_001];

/**
 * Names that would be mistaken for a namespace's own by a bare prefix, a `_` for any character, a name made plain, or one
 * that is cut: the longest that the contract of `Target.open` allows.
 */
export const lookAlikes: readonly ((namespace: string) => string)[] = [
  (name) => `${name}x`,
  (name) => name.replaceAll("_", "x"),
  (name) => name.replaceAll("_", ""),
  (name) => name.padEnd(39, "l").concat("a"),
  (name) => name.padEnd(39, "l").concat("b"),
];

/** As many fields as were asked for, or as fit. */
export function manyFields(kit: Kit, count: number, text: string): Map<string, string> {
  // 64 bytes a field: what a backend may add to a name and a value this short.
  const fit = Math.min(count, Math.floor(kit.maxBytes / 64));
  return new Map(Array.from({ length: fit }, (_, i) => [`many/${i}`, text]));
}

/** Lets timers and sockets have their turn, so that a loop around a driver in this process starves nobody. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/**
 * Tries until it succeeds, where waiting is right (an index that lags, a client that connects again); else once.
 * The sleep is between two looks at something that no event announces.
 */
export async function eventually<T>(wait: boolean, attempt: () => Promise<T>): Promise<T> {
  const end = Date.now() + 4_000;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (!wait || Date.now() > end) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
