import { randomBytes } from "node:crypto";
import type { Change, Driver, NewRecord, StoredRecord } from "@sessions/core";
import * as assert from "./assert.ts";
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

/** Creates a record, live for an hour unless it says otherwise, and returns its id. */
export async function begin(driver: Driver, now: number, record: Partial<NewRecord> = {}): Promise<string> {
  const id = newId();
  const created = await driver.create(id, { expiresAt: now + HOUR, fields: new Map(), ...record }, now);
  assert.equal(created, true, "create of a new id must return true");
  return id;
}

/**
 * Creates a record that was live two minutes ago and expired one minute ago. It is created with the earlier clock, so
 * the case does not wait, and no driver has to create a record that has already expired.
 */
export async function leave(driver: Driver, now: number, record: Partial<NewRecord> = {}): Promise<string> {
  return begin(driver, now - 2 * MINUTE, { expiresAt: now - MINUTE, ...record });
}

/** Loads a record that must be there. */
export async function loaded(driver: Driver, id: string): Promise<StoredRecord> {
  const record = await driver.load(id);
  assert.ok(record !== undefined, "load must return the record, not undefined");
  // A driver may return further properties.
  const { version, expiresAt, principal, fields } = record;
  return { version, expiresAt, principal, fields };
}

/** Text for a message: escaped and shortened. */
function show(text: string | null | undefined): string {
  if (typeof text !== "string") return String(text);
  const escaped = JSON.stringify(text.slice(0, 40)).replace(
    /[^ -~]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
  return text.length > 40 ? `${escaped}... (${text.length} units)` : escaped;
}

/** Whether it can be read as a Map. It may be an instance of another realm's class. */
export function isMap(value: unknown): value is ReadonlyMap<string, string> {
  const { get, size, entries }: Record<string, unknown> = Object(value);
  return typeof get === "function" && typeof entries === "function" && typeof size === "number";
}

/** Compares fields. The error names one field, instead of printing megabytes. */
export function sameFields(actual: ReadonlyMap<string, string>, expected: ReadonlyMap<string, string>): void {
  assert.ok(isMap(actual), "a record's fields must be a Map");
  // Build the message only on failure: there may be ten thousand fields.
  for (const [name, text] of expected) {
    const got = actual.get(name);
    if (got !== text) assert.fail(`field ${show(name)} must hold ${show(text)}, not ${show(got)}`);
  }
  for (const name of actual.keys())
    if (!expected.has(name)) assert.fail(`field ${show(name)} must not be there`);
}

/** Compares a record with the expected parts. Parts that `expected` does not name are not compared. */
export function sameRecord(actual: StoredRecord, expected: Partial<StoredRecord>): void {
  const { fields, ...rest } = expected;
  if (fields) sameFields(actual.fields, fields);
  const { version, expiresAt, principal } = actual;
  assert.deepEqual(
    { version, expiresAt, principal },
    { version, expiresAt, principal, ...rest },
    "the loaded record",
  );
}

/** Starts all of them at once, and waits for all. */
export function together<T>(count: number, start: (i: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, (_, i) => start(i)));
}

/** The time that a crowd of calls about one record may take, and the fewest calls that are a crowd. */
const CROWD_MS = 1_000;
const LEAST_CROWD = 10;

/**
 * How many calls about one record a case makes at once: `most` of them, or fewer if the backend is far away. A driver
 * that reads, compares and writes lets one of them through in two round trips, and is as right as one that merges in the
 * backend.
 */
export async function crowd(driver: Driver, most: number): Promise<number> {
  let trip = Number.POSITIVE_INFINITY;
  // The first call may open a connection.
  for (let i = 0; i < 3; i++) {
    const begun = performance.now();
    await driver.load(newId());
    trip = Math.min(trip, performance.now() - begun);
  }
  return Math.max(LEAST_CROWD, Math.min(most, Math.floor(CROWD_MS / (2 * trip))));
}

/** The case's driver and three more on the same records. */
export async function severalDrivers(kit: Kit): Promise<(i: number) => Driver> {
  const others = [await kit.open(), await kit.open(), await kit.open()];
  return (i) => others[i % 4] ?? kit.driver;
}

/** Sizes of a change around the limits of statements, batches and expressions, where drivers take another path. */
export const sizes: readonly number[] = [25, 99, 100, 101, 250, 450, 451, 1_000, 1_001, 2_000, 2_001];

/**
 * Namespaces that a faulty driver confuses with the given one: it compares prefixes, takes `_` for any character,
 * removes characters, or cuts names. The longest ones are as long as `Target.open` allows.
 */
export const lookAlikes: readonly ((namespace: string) => string)[] = [
  (name) => `${name}x`,
  (name) => name.replaceAll("_", "x"),
  (name) => name.replaceAll("_", ""),
  (name) => name.padEnd(39, "l").concat("a"),
  (name) => name.padEnd(39, "l").concat("b"),
];

/** `count` fields, or as many as fit into one call that names `others` besides. */
export function manyFields(
  { maxBytes, maxFields }: Pick<Kit, "maxBytes" | "maxFields">,
  count: number,
  text: string,
  others = 0,
): Map<string, string> {
  // Allow 64 bytes for each field, because a backend adds to such short names and values.
  const fit = Math.min(count, Math.floor(maxBytes / 64), maxFields - others);
  return new Map(Array.from({ length: fit }, (_, i) => [`many/${i}`, text]));
}

/**
 * Waits for one pass of the event loop, so that a loop around a driver in this process does not starve timers and
 * sockets.
 */
export function yieldToEventLoop(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/**
 * Repeats `attempt` until it succeeds, for at most 4 seconds, if `wait` is true (an index that lags, a client that
 * connects again); otherwise tries once. It polls, because no event tells when the state changes.
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
