import {
  type Change,
  DriverUnavailableError,
  type ListingDriver,
  type ProvisionedDriver,
  SessionSetupError,
  type StoredRecord,
} from "@sessions/core";
import type { Target } from "../src/index.ts";
import { yieldToEventLoop } from "../src/support.ts";

/** The simplest driver that keeps every rule, for the deliberate faults to be made in. */
export interface Row {
  version: number;
  expiresAt: number;
  principal: string | undefined;
  fields: Map<string, string>;
}
export type Rows = Map<string, Row>;

/** A backend that several drivers share: a table for each namespace. */
export type World = Map<string, Rows>;

export const isLive = (row: Row | undefined, now: number): row is Row =>
  row !== undefined && row.expiresAt > now;

export const counts = ({ fields, principal, ifVersion }: Change): boolean =>
  fields.size > 0 || principal !== undefined || ifVersion !== undefined;

export function merge(fields: Map<string, string>, patch: Change["fields"]): void {
  for (const [name, text] of patch)
    if (text === null) fields.delete(name);
    else fields.set(name, text);
}

/** What a commit does to a row that it may change. */
export function apply(row: Row, change: Change): void {
  merge(row.fields, change.fields);
  if (change.expiresAt !== undefined) row.expiresAt = change.expiresAt;
  if (change.principal !== undefined) row.principal = change.principal ?? undefined;
  if (counts(change)) row.version++;
}

export const copy = ({ version, expiresAt, principal, fields }: Row): StoredRecord => ({
  version,
  expiresAt,
  fields: new Map(fields),
  ...(principal !== undefined && { principal }),
});

/** `wait` is the way to the backend: what comes after it happens at once. */
export function simpleDriver(
  rowsNow: () => Rows,
  wait: () => Promise<void> = yieldToEventLoop,
): ListingDriver {
  return {
    name: "simple",
    async create(id, { expiresAt, principal, fields }, now) {
      const given = new Map(fields);
      await wait();
      const rows = rowsNow();
      if (isLive(rows.get(id), now)) return false;
      rows.set(id, { version: 1, expiresAt, principal, fields: given });
      return true;
    },
    async load(id) {
      await wait();
      const row = rowsNow().get(id);
      return row && copy(row);
    },
    async commit(id, given, now) {
      const change = { ...given, fields: new Map(given.fields) };
      await wait();
      const row = rowsNow().get(id);
      if (!isLive(row, now)) return "gone";
      if (change.ifVersion !== undefined && change.ifVersion !== row.version) return "conflict";
      apply(row, change);
      return "committed";
    },
    async destroy(id, now) {
      await wait();
      const rows = rowsNow();
      return isLive(rows.get(id), now) && rows.delete(id);
    },
    async sweep({ after, before, limit }) {
      await wait();
      const rows = rowsNow();
      const found = [...rows].filter(([, { expiresAt }]) => expiresAt >= after && expiresAt < before);
      const swept = found.slice(0, limit);
      for (const [id] of swept) rows.delete(id);
      return swept.length;
    },
    async list({ principal, cursor = "", limit }, now) {
      await wait();
      const ids = [...rowsNow().keys()].filter((id) => id > cursor).sort();
      const page = ids.slice(0, limit).flatMap((id) => {
        const row = rowsNow().get(id);
        if (!row || (principal !== undefined && !(isLive(row, now) && row.principal === principal)))
          return [];
        return [{ id, ...copy(row) }];
      });
      const last = ids[limit - 1];
      return { records: page, ...(last !== undefined && { cursor: last }) };
    },
  };
}

/** A line to a backend: it may be cut, and lose the next answer. */
export interface Line {
  up: boolean;
  drop?: boolean;
}

/** The outage of a target whose drivers use the line. */
export const outageOf = (line: Line): NonNullable<Target["outage"]> => ({
  async cut() {
    line.up = false;
  },
  async restore() {
    line.up = true;
    line.drop = false;
  },
  async drop() {
    line.drop = true;
  },
});

/** The same behind a line that can be cut: before a call, or between the call and its answer. */
export function remoteDriver(rows: Rows, line: Line): ListingDriver {
  const sound = simpleDriver(() => rows);
  async function call<T>(method: () => Promise<T>): Promise<T> {
    if (!line.up) throw new DriverUnavailableError("the backend cannot be reached");
    const lost = line.drop;
    line.drop = false;
    const answer = await method();
    if (!line.up || lost) throw new DriverUnavailableError("the answer was lost");
    return answer;
  }
  return {
    name: "remote",
    create: (...args) => call(() => sound.create(...args)),
    load: (...args) => call(() => sound.load(...args)),
    commit: (...args) => call(() => sound.commit(...args)),
    destroy: (...args) => call(() => sound.destroy(...args)),
    sweep: (...args) => call(() => sound.sweep(...args)),
    list: (...args) => call(() => sound.list(...args)),
  };
}

/** The same with a table that must be set up. */
export function provisionedDriver(world: World, namespace: string): ListingDriver & ProvisionedDriver {
  const table = () => {
    const rows = world.get(namespace);
    if (!rows) throw new SessionSetupError(`table ${namespace} is missing: run setup()`);
    return rows;
  };
  return {
    ...simpleDriver(table),
    name: "provisioned",
    async setup() {
      await yieldToEventLoop();
      if (!world.has(namespace)) world.set(namespace, new Map());
    },
    async check() {
      await yieldToEventLoop();
      return world.has(namespace) ? [] : [`table ${namespace} is missing`];
    },
    async teardown() {
      await yieldToEventLoop();
      world.delete(namespace);
    },
  };
}
