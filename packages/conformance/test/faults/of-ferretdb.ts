import { yieldToEventLoop } from "../../src/support.ts";
import { counts, isLive } from "../simple-driver.ts";
import { setup } from "./away.ts";
import { type Fault, fault } from "./fault.ts";
import { altered, listed, spoilt } from "./wrap.ts";

/** What a driver over a database that speaks MongoDB's language in part does wrong. */
export const ferretDbFaults: Fault[] = [
  fault(
    "R5",
    "a compare-and-set with a version that never was is an upsert, and rejects with a duplicate key",
    (_, sound) => ({
      async commit(id, change, now) {
        const outcome = await sound.commit(id, change, now);
        if (outcome === "conflict" && (change.ifVersion ?? 0) > 1_000)
          throw new Error("E11000 duplicate key error");
        return outcome;
      },
    }),
  ),
  fault(
    "R1",
    "a create over a leftover with a principal does not set the expiry on insert",
    (rows, sound) => ({
      create(id, record, now) {
        const left = rows.get(id);
        const kept = left !== undefined && left.expiresAt <= now && left.principal !== undefined;
        const expiresAt = kept ? left.expiresAt : record.expiresAt;
        return sound.create(id, { ...record, expiresAt }, now);
      },
    }),
  ),
  fault(
    "R1",
    "a create over a leftover is false, for the document that it replaced was found",
    (rows, sound) => ({
      async create(id, record, now) {
        const left = rows.has(id);
        return (await sound.create(id, record, now)) && !left;
      },
    }),
  ),
  spoilt("a text that begins with a dollar names a field", (text) => (text.startsWith("$") ? "" : text)),
  altered("R3", "a deletion of a field that is not there leaves an empty one", (change, row) => ({
    ...change,
    fields: new Map(
      [...change.fields].map(([name, text]) => [
        name,
        text === null && row && !row.fields.has(name) ? "" : text,
      ]),
    ),
  })),
  fault("R6", "where more than ten commits are under way, $inc reads before it writes", (rows, sound) => {
    let underWay = 0;
    return {
      async commit(id, change, now) {
        const version = rows.get(id)?.version ?? 0;
        const crowded = ++underWay > 10 && counts(change) && change.ifVersion === undefined;
        try {
          const outcome = await sound.commit(id, change, now);
          const row = rows.get(id);
          if (outcome === "committed" && crowded && row) row.version = version + 1;
          return outcome;
        } finally {
          underWay--;
        }
      },
    };
  }),
  fault("R13", "a record that was upserted twice at once is listed twice", (rows, sound) => {
    const twice = new Set<string>();
    const busy = new Map<string, number>();
    return {
      async create(id, record, now) {
        busy.set(id, (busy.get(id) ?? 0) + 1);
        const created = await sound.create(id, record, now);
        if ((busy.get(id) ?? 0) > 1) twice.add(id);
        busy.set(id, (busy.get(id) ?? 1) - 1);
        return created;
      },
      async list(query, now) {
        const page = await sound.list(query, now);
        return {
          ...page,
          records: page.records.flatMap((each) =>
            twice.has(each.id) && rows.has(each.id) ? [each, each] : [each],
          ),
        };
      },
    };
  }),
  fault("R13", "a principal that begins with a dollar names a field, in a listing", (_, sound) => ({
    list: async (query, now) => (query.principal?.startsWith("$") ? { records: [] } : sound.list(query, now)),
  })),
  listed("R13", "a listing's projection leaves the version out", (record) => ({ ...record, version: 1 })),
  fault("R7", "two deletes at once both count the document", (rows, sound) => ({
    async destroy(id, now) {
      const there = isLive(rows.get(id), now);
      return (await sound.destroy(id, now)) || there;
    },
  })),
  setup("an index that is made twice at once is a deadlock", (world, namespace, sound) => {
    const making = `${namespace} (making)`;
    return {
      async setup() {
        if (world.has(making)) throw new Error("deadlock detected");
        world.set(making, new Map());
        await sound.setup();
        await yieldToEventLoop();
        world.delete(making);
      },
    };
  }),
];
