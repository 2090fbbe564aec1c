import { isSessionError, type ListingDriver } from "@sessions/core";
import { yieldToEventLoop } from "../../src/support.ts";
import { outage, setup } from "./away.ts";
import { type Fault, fault } from "./fault.ts";

/** Faults in what is shared, what is away, and what is set up: R10 to R12. */
export const backendFaults: Fault[] = [
  fault("R10", "a driver believes what it has read before", (_, sound) => {
    const cache = new Map<string, Awaited<ReturnType<ListingDriver["load"]>>>();
    return {
      async load(id) {
        const record = cache.get(id) ?? (await sound.load(id));
        cache.set(id, record);
        return record && { ...record, fields: new Map(record.fields) };
      },
      async commit(id, change, now) {
        const outcome = await sound.commit(id, change, now);
        cache.delete(id);
        return outcome;
      },
      async create(id, record, now) {
        const created = await sound.create(id, record, now);
        cache.delete(id);
        return created;
      },
      async destroy(id, now) {
        const destroyed = await sound.destroy(id, now);
        cache.delete(id);
        return destroyed;
      },
      async sweep(range) {
        cache.clear();
        return sound.sweep(range);
      },
    };
  }),

  outage("load of a backend that is away answers undefined", (sound) => ({
    load: (id) => sound.load(id).catch(() => undefined),
  })),
  outage("commit to a backend that is away answers gone", (sound) => ({
    commit: (id, change, now) => sound.commit(id, change, now).catch(() => "gone" as const),
  })),
  outage("destroy on a backend that is away answers false", (sound) => ({
    destroy: (id, now) => sound.destroy(id, now).catch(() => false),
  })),
  outage("sweep of a backend that is away answers 0", (sound) => ({
    sweep: (range) => sound.sweep(range).catch(() => 0),
  })),
  outage("list of a backend that is away answers an empty page", (sound) => ({
    list: (query, now) => sound.list(query, now).catch(() => ({ records: [] })),
  })),
  outage("the client's own errors come through", (sound) => ({
    load: (id) =>
      sound.load(id).catch(() => {
        throw new Error("ECONNREFUSED");
      }),
  })),
  outage("a driver that failed once stays failed", (sound) => {
    let failed: unknown;
    return {
      async load(id) {
        if (failed) throw failed;
        return sound.load(id).catch((error: unknown) => {
          failed = error;
          throw error;
        });
      },
    };
  }),
  outage("a commit whose answer was lost is repeated when the backend is back", (sound, line) => ({
    async commit(id, change, now) {
      try {
        return await sound.commit(id, change, now);
      } catch (error) {
        const again = async (): Promise<unknown> =>
          line.up ? sound.commit(id, change, now) : yieldToEventLoop().then(again);
        if (isSessionError(error)) for (let i = 0; i < 2; i++) void again();
        throw error;
      }
    },
  })),

  setup("setup makes the table anew", (world, namespace) => ({
    async setup() {
      await yieldToEventLoop();
      world.set(namespace, new Map());
    },
  })),
  setup("setups at once collide", (world, namespace) => ({
    async setup() {
      const there = world.has(namespace);
      await yieldToEventLoop();
      if (!there && world.has(namespace)) throw new Error("table already exists");
      if (!there) world.set(namespace, new Map());
    },
  })),
  setup("check looks at nothing", () => ({ check: async () => [] })),
  setup("check is never satisfied", () => ({ check: async () => ["the collation is unknown"] })),
  setup("teardown removes every table", (world) => ({
    async teardown() {
      await yieldToEventLoop();
      world.clear();
    },
  })),
  setup("teardown fails where there is nothing to remove", (world, namespace, sound) => ({
    async teardown() {
      await yieldToEventLoop();
      if (!world.has(namespace)) throw new Error("no such table");
      await sound.teardown();
    },
  })),
  setup("teardown leaves the records for the next setup", (world, namespace) => {
    const kept = world.get(`${namespace} (kept)`) ?? new Map();
    return {
      async setup() {
        await yieldToEventLoop();
        if (!world.has(namespace)) world.set(namespace, kept);
      },
    };
  }),
];
