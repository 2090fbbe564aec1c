import type { Change, CommitOutcome, Driver, NewRecord, StoredRecord } from "@sessions/core";
import * as assert from "../assert.ts";
import { isMap } from "../support.ts";

/** A call that is about one record; `sweep` and `list` are about many. */
export type Call =
  | { readonly method: "create"; readonly record: NewRecord }
  | { readonly method: "load" }
  | { readonly method: "commit"; readonly change: Change }
  | { readonly method: "destroy" };

/** What is kept under one id: a record, live or expired, or nothing. */
export type Held = StoredRecord | undefined;

/** The result of a call. */
export type Answer = boolean | CommitOutcome | Held;

export const isLive = (held: Held, now: number): held is StoredRecord =>
  held !== undefined && held.expiresAt > now;

/**
 * Whether a commit of this change raises the version (R6). The kit does not use the core's `raisesVersion`: drivers
 * use it, and a fault in it would go unnoticed.
 */
const counts = ({ fields, principal, ifVersion }: Change): boolean =>
  fields.size > 0 || principal !== undefined || ifVersion !== undefined;

/** The record after a change that is committed. */
export function merged(held: StoredRecord, change: Change): StoredRecord {
  const fields = new Map(held.fields);
  for (const [name, text] of change.fields)
    if (text === null) fields.delete(name);
    else fields.set(name, text);
  return {
    version: held.version + (counts(change) ? 1 : 0),
    expiresAt: change.expiresAt ?? held.expiresAt,
    principal: change.principal === undefined ? held.principal : (change.principal ?? undefined),
    fields,
  };
}

/** Whether a committed change alters nothing but the version. */
export function leavesAsItWas(held: StoredRecord, { fields, expiresAt, principal }: Change): boolean {
  const named = [...fields].every(([name, text]) => (held.fields.get(name) ?? null) === text);
  const kept = principal === undefined || (principal ?? undefined) === held.principal;
  return named && kept && (expiresAt ?? held.expiresAt) === held.expiresAt;
}

/**
 * The contract for one record and one caller: the result that a call must return, and the record that it must leave.
 */
export function expected(held: Held, call: Call, now: number): { answer: Answer; held: Held } {
  switch (call.method) {
    case "load":
      return { answer: held, held };
    case "create":
      if (isLive(held, now)) return { answer: false, held };
      return { answer: true, held: { version: 1, ...call.record } };
    case "destroy":
      return isLive(held, now) ? { answer: true, held: undefined } : { answer: false, held };
    case "commit":
      if (!isLive(held, now)) return { answer: "gone", held };
      if (call.change.ifVersion !== undefined && call.change.ifVersion !== held.version)
        return { answer: "conflict", held };
      return { answer: "committed", held: merged(held, call.change) };
  }
}

async function load(driver: Driver, id: string): Promise<Held> {
  const held = await driver.load(id);
  if (held === undefined) return undefined;
  assert.ok(isMap(held?.fields), "load must return undefined, or a record whose fields are a Map");
  const { version, expiresAt, principal, fields } = held;
  return { version, expiresAt, principal, fields: new Map(fields) };
}

/** Makes the call. Maps are copied both ways, because R2.5 and R2.6 test shared Maps already. */
export function perform(driver: Driver, id: string, call: Call, now: number): Promise<Answer> {
  switch (call.method) {
    case "create":
      return driver.create(id, { ...call.record, fields: new Map(call.record.fields) }, now);
    case "load":
      return load(driver, id);
    case "commit":
      return driver.commit(id, { ...call.change, fields: new Map(call.change.fields) }, now);
    case "destroy":
      return driver.destroy(id, now);
  }
}

/** A part of a record. */
export type Part = "version" | "expiresAt" | "principal" | "fields";

/** The parts in which two records differ. */
export function differences(a: StoredRecord, b: StoredRecord): Part[] {
  const parts: Part[] = [];
  if (a.version !== b.version) parts.push("version");
  if (a.expiresAt !== b.expiresAt) parts.push("expiresAt");
  if (a.principal !== b.principal) parts.push("principal");
  const same = a.fields.size === b.fields.size && [...a.fields].every(([k, v]) => b.fields.get(k) === v);
  if (!same) parts.push("fields");
  return parts;
}

/** Whether both are nothing, or equal records. */
export const same = (a: Held, b: Held): boolean =>
  a && b ? differences(a, b).length === 0 : a === undefined && b === undefined;
