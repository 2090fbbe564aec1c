import { DriverUnavailableError } from "@sessions/core";
import { yieldToEventLoop } from "../../src/support.ts";
import type { Row } from "../simple-driver.ts";
import { outage, setup } from "./away.ts";
import { type Fault, fault } from "./fault.ts";

/** What a client throws that names its statement. */
const failed = (parameters: Iterable<string | null>): Error =>
  new DriverUnavailableError("the backend cannot be reached", {
    cause: Object.assign(new Error("connection lost"), {
      sql: "UPDATE sessions",
      parameters: [...parameters],
    }),
  });

/** Faults that show where the driver is deployed: in its logs, in outages, beside processes that write. */
export const deployedFaults: Fault[] = [
  outage(
    "what commit rejects with holds the statement's parameters, for it passes the cause on",
    (sound) => ({
      commit: (id, change, now) =>
        sound.commit(id, change, now).catch(() => Promise.reject(failed(change.fields.values()))),
    }),
  ),
  outage("what create rejects with says which texts were refused", (sound) => ({
    create: (id, record, now) =>
      sound.create(id, record, now).catch(() => {
        throw new DriverUnavailableError(`HSET ${id} ${[...record.fields].flat().join(" ")} failed`);
      }),
  })),
  outage("a touch is not worth an error: it is dropped while the backend is away", (sound) => ({
    async commit(id, change, now) {
      const plain =
        change.fields.size === 0 && change.principal === undefined && change.ifVersion === undefined;
      return sound.commit(id, change, now).catch((error: unknown) => {
        if (plain && change.expiresAt !== undefined) return "committed";
        throw error;
      });
    },
  })),
  outage("a change of nothing needs no backend, once there is a connection", (sound, line) => ({
    async commit(id, change, now) {
      const { fields, expiresAt, principal, ifVersion } = change;
      const nothing =
        fields.size === 0 && [expiresAt, principal, ifVersion].every((part) => part === undefined);
      return nothing && !line.up ? "committed" : sound.commit(id, change, now);
    },
  })),
  outage("a listing that is cut off after its first page ends", (sound) => ({
    list: (query, now) =>
      sound.list(query, now).catch((error: unknown) => {
        if (query.cursor === undefined) throw error;
        return { records: [] };
      }),
  })),
  fault("R13", "a listing ends at the first record that has expired", (_, sound) => ({
    async list(query, now) {
      const page = await sound.list(query, now);
      const end = page.records.findIndex(({ expiresAt }) => expiresAt <= now);
      return query.principal === undefined && end >= 0 ? { records: page.records.slice(0, end) } : page;
    },
  })),
  fault("R13", "a listing ends with a page of which all records have expired", (_, sound) => ({
    async list(query, now) {
      const page = await sound.list(query, now);
      const records = page.records.filter(({ expiresAt }) => expiresAt > now);
      if (query.principal !== undefined || page.records.length === 0) return page;
      return records.length > 0 ? { ...page, records } : { records };
    },
  })),
  setup("a missing table is the client's own error", (world, namespace, sound) => ({
    async load(id) {
      if (!world.has(namespace)) throw new Error("no such table");
      return sound.load(id);
    },
  })),
  setup("a missing table is taken for a backend that is away, in sweep", (world, namespace, sound) => ({
    async sweep(range) {
      if (!world.has(namespace)) throw new DriverUnavailableError("no such table");
      return sound.sweep(range);
    },
  })),
  setup("check makes what it misses", (_, __, sound) => ({
    async check() {
      const missing = await sound.check();
      await sound.setup();
      return missing;
    },
  })),
  setup("a second setup writes the table anew from what it has read", (world, namespace, sound) => ({
    async setup() {
      const read = [...(world.get(namespace) ?? [])].map(
        ([id, row]) => [id, { ...row, fields: new Map(row.fields) }] as const,
      );
      if (read.length === 0) return sound.setup();
      for (let i = 0; i < 3; i++) await yieldToEventLoop();
      world.set(namespace, new Map(read));
    },
  })),
  setup("a setup locks the table, and what is written meanwhile is refused", (world, namespace, sound) => {
    const locked = `${namespace} (locked)`;
    const refuse = () => {
      if (world.has(locked)) throw new DriverUnavailableError("lock wait timeout exceeded");
    };
    return {
      async setup() {
        const again = world.has(namespace);
        if (again) world.set(locked, new Map());
        await sound.setup();
        world.delete(locked);
      },
      async create(id, record, now) {
        refuse();
        return sound.create(id, record, now);
      },
      async commit(id, change, now) {
        refuse();
        return sound.commit(id, change, now);
      },
    };
  }),
  setup("a setup makes the table anew and copies what was in it", (world, namespace, sound) => ({
    async setup() {
      const old = world.get(namespace);
      if (!old) return sound.setup();
      const copied: [string, Row][] = [...old];
      await yieldToEventLoop();
      world.set(namespace, new Map(copied));
    },
  })),
  fault(
    "R14",
    "records of equal fields share them, and the first to be destroyed takes them along",
    (rows, sound) => {
      const shown = (id: string) => JSON.stringify([...(rows.get(id)?.fields ?? [])]);
      return {
        async destroy(id, now) {
          const fields = shown(id);
          const destroyed = await sound.destroy(id, now);
          if (destroyed) for (const [other, row] of rows) if (shown(other) === fields) row.fields.clear();
          return destroyed;
        },
      };
    },
  ),
];
