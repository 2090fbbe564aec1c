import { DriverUnavailableError, type ListingDriver, type StoredRecord } from "@sessions/core";
import { yieldToEventLoop } from "../../src/support.ts";
import { isLive, type Rows } from "../simple-driver.ts";
import { type Fault, fault } from "./fault.ts";
import { beside } from "./wrap.ts";

const locks = beside(() => new Set<string>());
const wholeIds = beside(() => new Map<string, string>());
const clients = beside(() => ({ closed: false }));

/** Ids that the backend cuts or converts. */
function short(rows: Rows, sound: ListingDriver, fold: (id: string) => string): Partial<ListingDriver> {
  const whole = wholeIds(rows);
  return {
    create(id, record, now) {
      whole.set(fold(id), id);
      return sound.create(fold(id), record, now);
    },
    async list(query, now) {
      const page = await sound.list(query, now);
      return {
        ...page,
        records: page.records.map((record) => ({ ...record, id: whole.get(record.id) ?? "" })),
      };
    },
    load: (id) => sound.load(fold(id)),
    commit: (id, change, now) => sound.commit(fold(id), change, now),
    destroy: (id, now) => sound.destroy(fold(id), now),
  };
}

/** Faults of code around a client: batches, caches, locks, names. */
export const clientFaults: Fault[] = [
  fault("R2", "loads at once share a Map", (_, sound) => {
    const loads = new Map<string, Promise<StoredRecord | undefined>>();
    return {
      async load(id) {
        const begun = loads.get(id) ?? sound.load(id);
        loads.set(id, begun);
        queueMicrotask(() => loads.delete(id));
        return begun;
      },
    };
  }),
  fault("R2", "of more than 100 loads at once the rest finds nothing", (_, sound) => {
    let batch = 0;
    return {
      async load(id) {
        const place = batch++;
        const record = await sound.load(id);
        batch = 0;
        return place < 100 ? record : undefined;
      },
    };
  }),
  fault("R6", "commits at once that are the same are made once", (_, sound) => {
    const made = new Map<string, ReturnType<typeof sound.commit>>();
    return {
      async commit(id, change, now) {
        const key = JSON.stringify([id, change, [...change.fields]]);
        const begun =
          change.ifVersion === undefined ? (made.get(key) ?? sound.commit(id, change, now)) : undefined;
        if (begun === undefined) return sound.commit(id, change, now);
        made.set(key, begun);
        const outcome = await begun;
        made.delete(key);
        return outcome;
      },
    };
  }),
  fault("R6", "of more than 200 commits at once the rest is sent twice, and called late", (_, sound) => {
    let underWay = 0;
    let late = 0;
    return {
      async commit(id, change, now) {
        const place = ++underWay;
        try {
          if (place <= 200) return await sound.commit(id, change, now);
          // As many are lost: the sum is no more than was sent.
          if (late++ % 2 === 0) await Promise.all([1, 2].map(() => sound.commit(id, change, now)));
          throw new DriverUnavailableError("no answer in time; a change may or may not have been made");
        } finally {
          underWay--;
        }
      },
    };
  }),
  fault("R2", "commit reads its Map when the line is free", (_, sound) => ({
    async commit(id, change, now) {
      await yieldToEventLoop();
      return sound.commit(id, change, now);
    },
  })),
  fault("R2", "create reads its Map when the line is free", (_, sound) => ({
    async create(id, record, now) {
      await yieldToEventLoop();
      return sound.create(id, record, now);
    },
  })),
  fault("R1", "a create that answered false keeps its lock", (rows, sound) => {
    const locked = locks(rows);
    return {
      async create(id, record, now) {
        if (locked.has(id)) throw new Error("lock wait timeout exceeded");
        const there = isLive(rows.get(id), now);
        const created = await sound.create(id, record, now);
        if (!created && there) locked.add(id);
        return created;
      },
    };
  }),
  fault("R10", "a driver remembers that there was no record", (_, sound) => {
    const missing = new Set<string>();
    return {
      async create(id, record, now) {
        missing.delete(id);
        return sound.create(id, record, now);
      },
      async load(id) {
        if (missing.has(id)) return undefined;
        const record = await sound.load(id);
        if (!record) missing.add(id);
        return record;
      },
    };
  }),
  fault("R10", "a close closes the client of all", (rows, sound) => {
    const client = clients(rows);
    const through = <T>(answer: Promise<T>): Promise<T> => {
      if (client.closed) throw new Error("the client is closed");
      return answer;
    };
    return {
      load: async (id) => through(sound.load(id)),
      commit: async (id, change, now) => through(sound.commit(id, change, now)),
      close: async () => {
        client.closed = true;
      },
    };
  }),
  fault("R14", "ids are compared by their first half", (rows, sound) =>
    short(rows, sound, (id) => id.slice(0, 16)),
  ),
  fault("R14", "ids are compared as floating numbers", (rows, sound) =>
    short(rows, sound, (id) => String(Number.parseInt(id, 16))),
  ),
  fault("R14", "ids are compared without their last character", (rows, sound) =>
    short(rows, sound, (id) => id.slice(0, -1)),
  ),
  {
    rule: "R14",
    fault: "namespaces are cut after 30 characters",
    target() {
      const { open: openSound } = fault("R14", "", () => ({})).target();
      return { name: "short names", open: (namespace) => openSound(namespace.slice(0, 30)) };
    },
  },
  fault("R14", "all records are in one file, and the locks are the records' own", (rows, sound) => ({
    async commit(id, change, now) {
      const others = [...rows].filter(([other]) => other !== id);
      const read = new Map(others.map(([other, { fields }]) => [other, new Map(fields)]));
      const outcome = await sound.commit(id, change, now);
      for (const [other, fields] of read) {
        const row = rows.get(other);
        if (outcome === "committed" && row) row.fields = fields;
      }
      return outcome;
    },
  })),
  fault("R2", "a load joins one that is under way", (_, sound) => {
    const loads = new Map<string, Promise<StoredRecord | undefined>>();
    return {
      async load(id) {
        const begun =
          loads.get(id) ??
          sound.load(id).then(async (record) =>
            yieldToEventLoop()
              .then(() => yieldToEventLoop())
              .then(() => record),
          );
        loads.set(id, begun);
        const record = await begun;
        loads.delete(id);
        return record && { ...record, fields: new Map(record.fields) };
      },
    };
  }),
];
