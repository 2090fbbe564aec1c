import type { Fault } from "./fault.ts";
import { counted, listed, overdeleted, seen } from "./wrap.ts";

/** Faults that a column's type, its collation or a join brings. */
export const columnFaults: Fault[] = [
  overdeleted("R9", "a deletion takes the name for a pattern", (name, other) =>
    new RegExp(`^${name.replace(/_/g, ".").replace(/%/g, ".*")}$`).test(other),
  ),
  overdeleted("R3", "a deletion takes the names that begin with it", (name, other) => other.startsWith(name)),
  counted("a principal that stays the same does not count", (change, before) =>
    change.principal && change.principal === before.principal && !change.fields.size && !change.ifVersion
      ? -1
      : 0,
  ),
  counted("a principal that is cleared where there is none does not count", (change, before) =>
    change.principal === null &&
    before.principal === undefined &&
    !change.fields.size &&
    change.ifVersion === undefined
      ? -1
      : 0,
  ),
  counted("a commit that only deletes does not count", (change) =>
    change.fields.size > 0 &&
    [...change.fields.values()].every((text) => text === null) &&
    change.principal === undefined &&
    change.ifVersion === undefined
      ? -1
      : 0,
  ),
  counted("every hundred fields count", (change) => Math.max(0, Math.ceil(change.fields.size / 100) - 1)),
  seen("R2", "no expiry is later than the year 2038", (record) => ({
    ...record,
    expiresAt: Math.min(record.expiresAt, 0x7fffffff * 1000),
  })),
  seen("R14", "a principal that spells a number comes back as that number", ({ principal, ...record }) =>
    principal === undefined
      ? record
      : { ...record, principal: /^\d+$/.test(principal) ? String(Number(principal)) : principal },
  ),
  seen("R14", "principals are cut after 191 characters", ({ principal, ...record }) =>
    principal === undefined ? record : { ...record, principal: principal.slice(0, 191) },
  ),
  listed("R13", "a listing cuts texts after 1024 characters", (record) => ({
    ...record,
    fields: new Map([...record.fields].map(([name, text]) => [name, text.slice(0, 1024)])),
  })),
  listed("R13", "a listing joins the fields, and passes a record over that was emptied", (record) =>
    record.fields.size > 0 || record.version === 1 ? record : undefined,
  ),
  listed("R13", "a listing of everybody goes by the index on principals", (record) =>
    record.principal === undefined ? undefined : record,
  ),
];
