import { type Driver, DriverUnavailableError, type ListingDriver } from "@sessions/core";
import { yieldToEventLoop } from "../../src/support.ts";
import {
  type Line,
  outageOf,
  provisionedDriver,
  type Rows,
  remoteDriver,
  type World,
} from "../simple-driver.ts";
import type { Fault } from "./fault.ts";

/** A fault of a driver behind a line that can be cut. */
export function outage(
  what: string,
  wrong: (sound: ListingDriver, line: Line, rows: Rows) => Partial<ListingDriver>,
): Fault {
  return {
    rule: "R11",
    fault: what,
    target() {
      const world: World = new Map();
      const line: Line = { up: true };
      return {
        name: what,
        open(namespace): Driver {
          const rows: Rows = world.get(namespace) ?? new Map();
          world.set(namespace, rows);
          const sound = remoteDriver(rows, line);
          return { ...sound, ...wrong(sound, line, rows) };
        },
        outage: outageOf(line),
      };
    },
  };
}

type Provisioned = ReturnType<typeof provisionedDriver>;

/** A fault of a driver with a table to set up. */
export function setup(
  what: string,
  wrong: (world: World, namespace: string, sound: Provisioned) => Partial<Provisioned>,
): Fault {
  return {
    rule: "R12",
    fault: what,
    target() {
      const world: World = new Map();
      return {
        name: what,
        open(namespace): Driver {
          const sound = provisionedDriver(world, namespace);
          return { ...sound, ...wrong(world, namespace, sound) };
        },
      };
    },
  };
}

const reset = (): never => {
  throw new Error("ECONNRESET");
};

/** True for every call but the first of each namespace. */
function ending(world: World, namespace: string): boolean {
  const name = `${namespace} (ended)`;
  if (world.has(name)) return true;
  world.set(name, new Map());
  return false;
}

/** Further faults in what is away, and in what is set up: R11 and R12. */
export const awayFaults: Fault[] = [
  outage("create on a backend that is away answers false", (sound) => ({
    create: (id, record, now) => sound.create(id, record, now).catch(() => false),
  })),
  outage("create on a backend that is away answers true, for it is not waited for", (sound) => ({
    create: (id, record, now) => sound.create(id, record, now).catch(() => true),
  })),
  outage("commit to a backend that is away answers committed, for it is not waited for", (sound) => ({
    commit: (id, change, now) => sound.commit(id, change, now).catch(() => "committed" as const),
  })),
  outage("commit to a backend that is away answers conflict", (sound) => ({
    commit: (id, change, now) => sound.commit(id, change, now).catch(() => "conflict" as const),
  })),
  outage("create lets the client's own error through", (sound) => ({
    create: (id, record, now) => sound.create(id, record, now).catch(reset),
  })),
  outage("commit lets the client's own error through", (sound) => ({
    commit: (id, change, now) => sound.commit(id, change, now).catch(reset),
  })),
  outage("destroy lets the client's own error through", (sound) => ({
    destroy: (id, now) => sound.destroy(id, now).catch(reset),
  })),
  outage("sweep lets the client's own error through", (sound) => ({
    sweep: (range) => sound.sweep(range).catch(reset),
  })),
  outage("list lets the client's own error through", (sound) => ({
    list: (query, now) => sound.list(query, now).catch(reset),
  })),
  outage("list of a backend that is away answers what it answered last", (sound) => {
    let last: Awaited<ReturnType<ListingDriver["list"]>> = { records: [] };
    return {
      async list(query, now) {
        last = await sound.list(query, now).catch(() => last);
        return last;
      },
    };
  }),
  outage("a principal's list of a backend that is away answers an empty page", (sound) => ({
    list: (query, now) =>
      sound.list(query, now).catch((error: unknown) => {
        if (query.principal === undefined) throw error;
        return { records: [] };
      }),
  })),
  outage("load of a backend that is away answers what it answered last", (sound) => {
    const last = new Map<string, Awaited<ReturnType<ListingDriver["load"]>>>();
    return {
      async load(id) {
        const record = await sound.load(id).catch((error: unknown) => {
          if (!last.has(id)) throw error;
          return last.get(id);
        });
        last.set(id, record);
        return record;
      },
    };
  }),
  outage("a call to a backend that is away throws instead of rejecting", (sound, line) => ({
    load(id) {
      if (!line.up) throw new DriverUnavailableError("the backend cannot be reached");
      return sound.load(id);
    },
  })),
  outage("a call waits until the backend is back", (sound, line) => ({
    async load(id) {
      while (!line.up) await yieldToEventLoop();
      return sound.load(id);
    },
  })),
  outage("commits of an outage are queued, and made when the backend is back", (sound, line) => ({
    async commit(id, change, now) {
      if (line.up) return sound.commit(id, change, now);
      const later = async (): Promise<unknown> =>
        line.up ? sound.commit(id, change, now).catch(() => undefined) : yieldToEventLoop().then(later);
      void later();
      void later();
      throw new DriverUnavailableError("the backend cannot be reached");
    },
  })),
  outage("a driver that failed once creates nothing any more", (sound) => {
    let failed = false;
    return {
      async create(id, record, now) {
        if (failed) throw new DriverUnavailableError("the pool is gone");
        return sound.create(id, record, now).catch((error: unknown) => {
          failed = true;
          throw error;
        });
      },
    };
  }),
  outage("a driver that failed once lists nothing any more", (sound) => {
    let failed = false;
    return {
      async list(query, now) {
        if (failed) throw new DriverUnavailableError("the pool is gone");
        return sound.list(query, now).catch((error: unknown) => {
          failed = true;
          throw error;
        });
      },
    };
  }),
  setup("setup remembers that it ran, and does not after a teardown", (_, __, sound) => {
    let ready: Promise<void> | undefined;
    return {
      setup() {
        ready ??= sound.setup();
        return ready;
      },
    };
  }),
  setup("check remembers what it found", (_, __, sound) => {
    let found: Promise<string[]> | undefined;
    return {
      check() {
        found ??= sound.check();
        return found;
      },
    };
  }),
  setup("teardown removes only what the same driver has set up", (_, __, sound) => {
    let mine = false;
    return {
      async setup() {
        mine = true;
        await sound.setup();
      },
      async teardown() {
        if (mine) await sound.teardown();
      },
    };
  }),
  setup("check is content with a table whose name begins like its own", (world, namespace) => ({
    check: async () =>
      [...world.keys()].some((name) => name.startsWith(namespace)) ? [] : [`table ${namespace} is missing`],
  })),
  setup("check is content with any table of the driver's", (world) => ({
    check: async () => (world.size > 0 ? [] : ["no table"]),
  })),
  setup("teardown removes the tables whose names begin with its own", (world, namespace) => ({
    async teardown() {
      await yieldToEventLoop();
      for (const name of world.keys()) if (name.startsWith(namespace)) world.delete(name);
    },
  })),
  setup("teardown takes its name for a pattern", (world, namespace) => ({
    async teardown() {
      await yieldToEventLoop();
      const pattern = new RegExp(`^${namespace.replaceAll("_", ".")}$`);
      for (const name of world.keys()) if (pattern.test(name)) world.delete(name);
    },
  })),
  setup("a second setup clears the principals", (world, namespace, sound) => ({
    async setup() {
      for (const row of world.get(namespace)?.values() ?? []) row.principal = undefined;
      await sound.setup();
    },
  })),
  setup("a second setup begins the versions anew", (world, namespace, sound) => ({
    async setup() {
      for (const row of world.get(namespace)?.values() ?? []) row.version = 1;
      await sound.setup();
    },
  })),
  setup("a second setup rounds the expiries to whole seconds", (world, namespace, sound) => ({
    async setup() {
      for (const row of world.get(namespace)?.values() ?? [])
        row.expiresAt = Math.floor(row.expiresAt / 1000) * 1000;
      await sound.setup();
    },
  })),
  setup("a second setup rejects, for the index is there", (_, __, sound) => {
    let ran = false;
    return {
      async setup() {
        if (ran) throw new Error("relation already exists");
        ran = true;
        await sound.setup();
      },
    };
  }),
  setup("teardowns at once: the one that comes second rejects", (world, namespace, sound) => ({
    async teardown() {
      const there = world.has(namespace);
      await sound.teardown();
      await yieldToEventLoop();
      if (there && world.get(namespace) === undefined && ending(world, namespace))
        throw new Error("no such table");
    },
  })),
  setup("the fields are in a table of their own, which teardown leaves", (world, namespace, sound) => ({
    async create(id, record, now) {
      const left = world.get(`${namespace} (fields)`)?.get(id)?.fields ?? [];
      return sound.create(id, { ...record, fields: new Map([...left, ...record.fields]) }, now);
    },
    async teardown() {
      const rows = world.get(namespace);
      await sound.teardown();
      if (rows) world.set(`${namespace} (fields)`, rows);
    },
  })),
  outage("a lock that an outage interrupts is kept", (sound) => {
    const kept = new Set<string>();
    return {
      async commit(id, change, now) {
        if (kept.has(id)) throw new DriverUnavailableError("lock wait timeout exceeded");
        return sound.commit(id, change, now).catch((error: unknown) => {
          kept.add(id);
          throw error;
        });
      },
    };
  }),
];
