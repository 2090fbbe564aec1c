import { yieldToEventLoop } from "../../src/support.ts";
import { copy, isLive } from "../simple-driver.ts";
import { type Fault, fault } from "./fault.ts";

/** Faults in create and load: R1 and R2. */
export const createAndLoadFaults: Fault[] = [
  fault("R1", "create overwrites a live record", (rows, sound) => ({
    create(id, record, now) {
      rows.delete(id);
      return sound.create(id, record, now);
    },
  })),
  fault("R1", "create looks first and writes later", (rows) => ({
    async create(id, { expiresAt, principal, fields }, now) {
      const given = new Map(fields);
      await yieldToEventLoop();
      if (isLive(rows.get(id), now)) return false;
      await yieldToEventLoop();
      rows.set(id, { version: 1, expiresAt, principal, fields: given });
      return true;
    },
  })),
  fault("R1", "an expired leftover blocks create", (rows, sound) => ({
    create: async (id, record, now) => !rows.has(id) && sound.create(id, record, now),
  })),
  fault("R1", "create keeps what an expired leftover held", (rows, sound) => ({
    async create(id, record, now) {
      const left = rows.get(id);
      const fields = new Map(left?.fields);
      for (const [name, text] of record.fields) fields.set(name, text);
      return sound.create(id, { ...record, fields }, now);
    },
  })),
  fault("R1", "create counts a leftover's version on", (rows, sound) => ({
    async create(id, record, now) {
      const version = rows.get(id)?.version ?? 0;
      const created = await sound.create(id, record, now);
      const row = rows.get(id);
      if (created && row) row.version = version + 1;
      return created;
    },
  })),
  fault("R1", "create takes a record for live at its expiry", (_, sound) => ({
    create: (id, record, now) => sound.create(id, record, now - 1),
  })),

  fault("R2", "load answers the expiry in whole seconds", (_, sound) => ({
    async load(id) {
      const record = await sound.load(id);
      return record && { ...record, expiresAt: Math.floor(record.expiresAt / 1000) * 1000 };
    },
  })),
  fault("R2", "load answers its own Map", (rows) => ({
    async load(id) {
      await yieldToEventLoop();
      const row = rows.get(id);
      return row && { ...copy(row), fields: row.fields };
    },
  })),
  fault("R2", "create keeps the caller's Map", (rows, sound) => ({
    async create(id, record, now) {
      const created = await sound.create(id, record, now);
      const row = rows.get(id);
      if (created && row && record.fields instanceof Map) row.fields = record.fields;
      return created;
    },
  })),
  fault("R2", "load judges by the backend's clock", (_, sound) => ({
    async load(id) {
      const record = await sound.load(id);
      // The kit's own records that expired are none of load's business either way.
      return record && record.expiresAt > Date.now() ? record : undefined;
    },
  })),
  fault("R2", "load reads from a replica that is one commit behind", (rows, sound) => {
    const seen = new Map<string, { version: number; fields: Map<string, string> }>();
    return {
      async commit(id, change, now) {
        const row = rows.get(id);
        // Lags only for commits that move the expiry with a field, as a replica lags only now and then.
        const lags = row && change.expiresAt !== undefined && change.fields.has("a/n") && !change.principal;
        if (lags) seen.set(id, { version: row.version, fields: new Map(row.fields) });
        return sound.commit(id, change, now);
      },
      async load(id) {
        const record = await sound.load(id);
        const stale = seen.get(id);
        seen.delete(id);
        return record && { ...record, ...stale };
      },
    };
  }),
];
