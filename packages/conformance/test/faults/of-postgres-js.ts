import type { ListingDriver } from "@sessions/core";
import { type Line, type Rows, simpleDriver, type World } from "../simple-driver.ts";
import { outage, setup } from "./away.ts";
import { type Fault, fault } from "./fault.ts";
import { counted, renamed } from "./wrap.ts";

const camel = (name: string) => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
const snake = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

/** True once, where the next answer would be lost: here the connection is lost before COMMIT. */
function lost(line: Line): boolean {
  const drop = line.up && line.drop === true;
  if (drop) line.drop = false;
  return drop;
}

const setups = new WeakMap<World, Map<string, number>>();
function setupsOf(world: World): Map<string, number> {
  const counts = setups.get(world) ?? new Map();
  setups.set(world, counts);
  return counts;
}

/** What a driver over postgres.js does wrong: transforms, types, prepared statements, pools. */
export const postgresJsFaults: Fault[] = [
  renamed("names are made camel case", camel),
  renamed("capitals in names are made underscores", snake),
  renamed("dashes in names are underscores", (name) => name.replaceAll("-", "_")),
  counted("the version is text, and a digit is appended", (_, before) => (before.version === 9 ? 81 : 0)),
  fault("R5", "versions are compared as texts, where a longer one is smaller", (rows, sound) => ({
    async commit(id, change, now) {
      const { ifVersion, ...rest } = change;
      const version = rows.get(id)?.version;
      if (ifVersion === undefined || version === undefined || ifVersion === version)
        return sound.commit(id, change, now);
      return ifVersion < version || `${ifVersion}` > `${version}`
        ? sound.commit(id, change, now)
        : sound.commit(id, { ...rest, ifVersion: version }, now);
    },
  })),
  outage("a commit whose connection is lost before COMMIT is committed", (sound, line) => ({
    commit: async (id, change, now) => (lost(line) ? "committed" : sound.commit(id, change, now)),
  })),
  outage("a create whose connection is lost before COMMIT is true", (sound, line) => ({
    create: async (id, record, now) => lost(line) || sound.create(id, record, now),
  })),
  outage("a destroy whose connection is lost before COMMIT is true", (sound, line) => ({
    destroy: async (id, now) => lost(line) || sound.destroy(id, now),
  })),
  outage(
    "rows that came before the connection was lost are all: a load has a part of the fields",
    (sound, line) => ({
      async load(id) {
        const part = lost(line);
        const record = await sound.load(id);
        return part && record ? { ...record, fields: new Map([...record.fields].slice(0, -1)) } : record;
      },
    }),
  ),
  setup(
    "another driver's setup fails the statements that this driver has prepared",
    (world, namespace, sound) => {
      let prepared: number | undefined;
      const count = setupsOf(world);
      return {
        async setup() {
          await sound.setup();
          count.set(namespace, (count.get(namespace) ?? 0) + 1);
          prepared = undefined;
        },
        async load(id) {
          const valid = count.get(namespace);
          const stale = prepared !== undefined && prepared !== valid;
          prepared = valid;
          if (stale) throw new Error("cached plan must not change result type");
          return sound.load(id);
        },
      };
    },
  ),
  setup(
    "a statement that was prepared before a teardown reads the table that is no more",
    (world, namespace, sound) => {
      let prepared: Rows | undefined;
      return {
        async load(id) {
          if (!world.has(namespace)) prepared = undefined;
          prepared ??= world.get(namespace);
          const rows = prepared;
          return rows ? simpleDriver(() => rows).load(id) : sound.load(id);
        },
      };
    },
  ),
  {
    rule: "R14",
    fault: "the search path is set on a connection that another call may have by then",
    target() {
      const world: World = new Map();
      let path: Rows = new Map();
      return {
        name: "one connection",
        open(namespace): ListingDriver {
          const rows: Rows = world.get(namespace) ?? new Map();
          world.set(namespace, rows);
          const sound = simpleDriver(() => path);
          const pathed =
            <A extends unknown[], T>(call: (...args: A) => Promise<T>) =>
            (...args: A): Promise<T> => {
              path = rows;
              return call(...args);
            };
          return {
            ...sound,
            create: pathed(sound.create),
            load: pathed(sound.load),
            commit: pathed(sound.commit),
            destroy: pathed(sound.destroy),
            sweep: pathed(sound.sweep),
            list: pathed(sound.list),
          };
        },
      };
    },
  },
];
