import type { Change } from "@sessions/core";
import { merge } from "../simple-driver.ts";
import { type Fault, fault } from "./fault.ts";
import { altered } from "./wrap.ts";

/** A fault that shows in a change of more fields than `more` alone. */
const large = (rule: Fault["rule"], what: string, more: number, alter: (change: Change) => Change): Fault =>
  altered(rule, what, (change) => (change.fields.size > more ? alter(change) : change));

const without = (change: Change, lost: (text: string | null, i: number) => boolean): Change => ({
  ...change,
  fields: new Map([...change.fields].filter(([, text], i) => !lost(text, i))),
});

/** Faults in the path for large changes, and in what one change has together. */
export const changeFaults: Fault[] = [
  large("R5", "a change of more than 100 fields does not compare", 100, (change) => ({
    ...change,
    ifVersion: undefined,
  })),
  altered("R3", "a change of more than 100 fields forgets a later expiry", (change, _, now) =>
    change.fields.size > 100 && Number(change.expiresAt) > now ? { ...change, expiresAt: undefined } : change,
  ),
  large("R3", "a change of more than 100 fields forgets the principal", 100, (change) => ({
    ...change,
    principal: undefined,
  })),
  large("R3", "a change of more than 100 fields deletes none", 100, (change) =>
    change.fields.size < 1000 ? without(change, (text) => text === null) : change,
  ),
  altered("R3", "a change of exactly 100 fields loses the last", (change) =>
    change.fields.size === 100 ? without(change, (_, i) => i === 99) : change,
  ),
  altered("R3", "a change loses its last batch of 25 where that is full", (change) =>
    change.fields.size > 25 && change.fields.size < 1000 && change.fields.size % 25 === 0
      ? without(change, (_, i) => i >= change.fields.size - 25)
      : change,
  ),
  fault("R4", "a change of more than 100 fields revives an expired record", (rows, sound) => ({
    commit: (id, change, now) =>
      sound.commit(id, change, change.fields.size > 100 && rows.has(id) ? Number.NEGATIVE_INFINITY : now),
  })),
  fault("R4", "a change of more than 100 fields makes a record that is not there", (rows, sound) => ({
    async commit(id, change, now) {
      if (change.fields.size > 100 && !rows.has(id))
        rows.set(id, { version: 0, expiresAt: now + 60_000, principal: undefined, fields: new Map() });
      return sound.commit(id, change, now);
    },
  })),
  fault("R5", "a change of more than 100 fields that conflicts is written in part", (rows, sound) => ({
    async commit(id, change, now) {
      const outcome = await sound.commit(id, change, now);
      if (outcome === "conflict" && change.fields.size > 100)
        merge(rows.get(id)?.fields ?? new Map(), new Map([...change.fields].slice(0, 100)));
      return outcome;
    },
  })),
  altered("R3", "a change that moves the expiry deletes nothing", (change) =>
    change.expiresAt === undefined || change.ifVersion !== undefined
      ? change
      : without(change, (text) => text === null),
  ),
  altered("R3", "a change with a principal deletes nothing", (change) =>
    change.principal === undefined || change.ifVersion !== undefined
      ? change
      : without(change, (text) => text === null),
  ),
  altered("R3", "a change that deletes does not move the expiry", (change, _, now) =>
    change.ifVersion === undefined &&
    [...change.fields.values()].includes(null) &&
    Number(change.expiresAt) > now
      ? { ...change, expiresAt: undefined }
      : change,
  ),
  altered("R3", "a change that only deletes does not set the principal", (change) =>
    change.ifVersion === undefined &&
    change.fields.size > 0 &&
    [...change.fields.values()].every((text) => text === null)
      ? { ...change, principal: undefined }
      : change,
  ),
  altered("R3", "a change that compares does not clear the principal", (change) =>
    change.ifVersion !== undefined && change.principal === null
      ? { ...change, principal: undefined }
      : change,
  ),
  altered("R3", "a change that ends the record writes nothing else", (change, _, now) =>
    change.expiresAt !== undefined && change.expiresAt <= now
      ? { ...change, fields: new Map(), principal: undefined }
      : change,
  ),
  altered("R3", "a change that sets and deletes deletes nothing", (change) =>
    change.fields.size < 1000 && new Set([...change.fields.values()].map((text) => text === null)).size > 1
      ? without(change, (text) => text === null)
      : change,
  ),
];
